// Where the words of a run go: results to stdout, everything about the run to stderr, and neither in the other's way.
import type { WriteStream } from 'node:tty'
import pc from 'picocolors'
import type { Colors } from 'picocolors/types.js'
import type { Screen } from '../report/terminal.js'

export interface Output {
  screen: Screen
  /** True where a line may be written again and again. */
  live: boolean
  /** A result. Nothing under `--json`. */
  print(text: string): void
  /** Something about the run. */
  tell(text: string): void
}

/** Where nobody says how wide the screen is, as in a pipe. */
const PIPE_COLUMNS = 80

const plainWanted = (): boolean =>
  Boolean(process.env['NO_COLOR'] || process.env['CI'] || process.env['TERM'] === 'dumb')

export function createOutput(stdout: WriteStream, stderr: WriteStream, json: boolean): Output {
  const colors: Colors = pc.createColors(Boolean(stdout.isTTY) && !plainWanted())
  return {
    screen: { columns: stdout.columns || PIPE_COLUMNS, colors },
    live: Boolean(stderr.isTTY) && !plainWanted(),
    print: text => void (json || stdout.write(`${text}\n`)),
    tell: text => void stderr.write(`${text}\n`),
  }
}
