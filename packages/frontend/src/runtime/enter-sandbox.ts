// Completes the sandbox of a frontend, which Node's permission model has begun, before the frontend's code is loaded.
import type { FrontendSandbox } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { join } from 'node:path'
import { harden } from './harden.js'

/**
 * Hardens this thread. Returns the directory that it can read although that was not granted: since version 22, Node lets workers
 * read everything below the working directory by default.
 */
export async function enterSandbox({ unexpectedRead, closesNet }: FrontendSandbox): Promise<string | undefined> {
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } }
  if (!permission) throw new BusError('InternalError', "This worker does not run under Node's permission model")
  // A file is checked, because the answer for the directory itself is wrong: Node 22 denies it, Node 20 allows it.
  const readableDirectory =
    unexpectedRead !== undefined && permission.has('fs.read', join(unexpectedRead, 'any')) ? unexpectedRead : undefined
  // The C library asks for interfaces by a socket, which a wall denies.
  if (closesNet) process.getBuiltinModule('node:os').networkInterfaces = () => ({})
  await harden()
  return readableDirectory
}
