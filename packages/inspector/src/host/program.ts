// Which program this is: two pages of two programs would look the same. No path is shown.
import { basename } from 'node:path'
import { MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { Program } from '../contract/views.js'
import { toPrintable } from './printable.js'

const toName = (path: string): string => toPrintable(basename(path), MAX_NAME_LENGTH)

/** Node runs a directory by its module `index`. */
export function getProgram(): Program {
  const { argv, pid, version } = process
  return { name: toName(argv[1] ?? 'node'), pid, directory: toName(process.cwd()), node: version.slice(1) }
}
