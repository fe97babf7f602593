// The output of a command for people: results on stdout, and everything about the run, with its progress, on stderr.
import { createLogUpdate } from 'log-update'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import pc from 'picocolors'
import type { Screen } from './screen.js'
import { UsageError } from '@sallyport/protocol/internal/command-line'

export interface Output {
  screen: Screen
  /** True if a line on stderr can be replaced. */
  live: boolean
  /** Prints a result. */
  print(text: string): void
  /** Prints something about the run. */
  log(text: string): void
}

/** The width of an output that is not a terminal. */
const PIPE_COLUMNS = 80

/** @param quiet - prints no result, because stdout carries lines for a program */
export function createOutput(quiet = false): Output {
  const { stdout, stderr, env } = process
  const isPlain = Boolean(env['NO_COLOR'] || env['CI'] || env['TERM'] === 'dumb')
  return {
    screen: { columns: stdout.columns || PIPE_COLUMNS, colors: pc.createColors(Boolean(stdout.isTTY) && !isPlain) },
    live: stderr.isTTY && !isPlain,
    print: text => void (quiet || stdout.write(`${text}\n`)),
    log: text => void stderr.write(`${text}\n`),
  }
}

/** A signal ended the run. */
export class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super('Stopped. No report was written.')
  }
}

/** 128 and the number of the signal. SIGHUP is sent when the terminal closes. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** Deadline for threads and processes to end after a signal. */
const END_TIMEOUT_MS = 3000

/** Returns a signal that Ctrl-C aborts, with an `Interrupted` as its reason. A second Ctrl-C ends the process. */
export function createInterruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const [name, exitCode] of Object.entries(SIGNAL_EXITS)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode)
      setTimeout(() => process.exit(exitCode), END_TIMEOUT_MS).unref()
      controller.abort(new Interrupted(exitCode))
    })
  }
  return controller.signal
}

/** Prints the name of a command, and lines about the run. */
export function showStart(title: string, version: string, lines: readonly string[], { screen, print }: Output): void {
  const { bold, dim } = screen.colors
  print(`\n ${bold(title)} ${version}\n${lines.map(line => ` ${dim(line)}\n`).join('')}`)
}

export function createProgress({ live, log }: Output): (text: string) => void {
  const line = createLogUpdate(process.stderr)
  return text => {
    if (text === '') line.clear()
    // A line that wraps is not replaced as a whole.
    else if (live) line(` ${text}`.slice(0, (process.stderr.columns || PIPE_COLUMNS) - 1))
    else log(text)
  }
}

/**
 * Writes files by their names, and makes the directory if it is missing. Without files, it only finds out whether they can be written.
 *
 * @throws {UsageError} if the directory cannot be made or written to
 */
export async function writeReports(out: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  try {
    await makeDirectory(resolve(out))
    // Permissions are not all: nobody can make a file in /proc.
    await rmdir(await mkdtemp(join(out, '.sallyport-')))
    for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  } catch (error) {
    throw new UsageError(`--out ${out}: ${(error as Error).message}`)
  }
}

/** `mkdir` with `recursive` never ends where a directory is "not found" although its parent exists, as in /proc. */
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path).catch((error: unknown) => {
    // Another run can have made it.
    if (!existsSync(path)) throw error
  })
}
