// Runs the built command as a user does.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ended, type How, run } from '../../measure/test/run-command.js'
import type { Report } from '../src/report/report.js'

export type { Ended }

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

/** @param how - `script` is started instead of the command */
export const bench = (
  args: readonly string[],
  { script = cli, ...how }: How & { script?: string } = {},
): Promise<Ended> => run(script, args, how)

export const readReport = (directory: string): Report =>
  JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as Report
