// Distinguishes an error of Node or Sallyport from one of the application.
import { fileURLToPath } from 'node:url'
import { isError } from '@sallyport/protocol/internal/util'
import { findEntry } from './spawn.js'

/** A frame of JavaScript's or Node's own code. */
const BUILT_IN_FRAME = /\((?:<anonymous>|native|node:[^)]*)\)$|^\s+at (?:async )?node:/

/**
 * Returns true if an uncaught error comes from Node's or Sallyport's own code: its stack has no frame of another file. An error of
 * the operating system counts as the application's, because its stack lacks the code that asked for the operation.
 */
export function isInternalError(error: unknown): error is Error {
  if (!isError(error) || typeof error.stack !== 'string' || 'syscall' in error) return false
  const { message, stack } = error
  const frames = stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .filter(line => /^\s+at /.test(line))
  const directories = getOwnDirectories()
  const isInternal = (frame: string): boolean =>
    BUILT_IN_FRAME.test(frame) || directories.some(directory => frame.includes(directory))
  return frames.length > 0 && frames.every(isInternal)
}

/** Returns the URLs and paths of Sallyport's directories; none in a bundled program, whose file holds the application too. */
function getOwnDirectories(): string[] {
  try {
    const directories = ['#worker', '@sallyport/protocol/internal/wire'].map(entry => new URL('.', findEntry(entry)))
    return directories.flatMap(directory => [directory.href, fileURLToPath(directory)])
  } catch {
    return []
  }
}
