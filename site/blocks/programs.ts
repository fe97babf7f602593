// Puts the blocks of a page together into programs: files that name themselves in their first line, and what a run of them
// prints. A file that is shown again begins another program, which has the files before it as well.
import type { Block } from './markdown.js'

export interface Program {
  page: string
  /** Number on this page, from 1. */
  number: number
  files: Map<string, Block>
  runs: Run[]
  /** Blocks without a file name. */
  fragments: Block[]
}

/** `node file …`, and its standard output if the page shows it. */
export interface Run {
  command: string[]
  output: string | undefined
  line: number
}

const NAME = /^(?:\/\/|#|<!--) ([\w./-]+\.(?:[mc]?[jt]s|d\.ts|jsonc?|json5|toml|html))(?: -->)?$/

/** A block's own file name: `// host.mjs` is its first line. */
const getFileName = ({ code }: Block): string | undefined => NAME.exec(code.slice(0, code.indexOf('\n')))?.[1]

export function getPrograms(page: string, blocks: readonly Block[]): Program[] {
  let program: Program = { page, number: 1, files: new Map(), runs: [], fragments: [] }
  const programs = [program]
  /** Files of this program. The others are those of the previous program. */
  const shown = new Set<string>()
  for (const block of blocks) {
    const name = getFileName(block)
    if (name !== undefined) {
      if (shown.has(name)) {
        shown.clear()
        program = { page, number: program.number + 1, files: new Map(program.files), runs: [], fragments: [] }
        programs.push(program)
      }
      shown.add(name)
      program.files.set(name, block)
    } else {
      const run = toRun(block, program)
      if (run) program.runs.push(run)
      else program.fragments.push(block)
    }
  }
  // A host without constant output must still exit with 0.
  for (const { files, runs } of programs)
    if (files.has('host.mjs') && runs.length === 0)
      runs.push({ command: ['host.mjs'], output: undefined, line: files.get('host.mjs')!.line })
  return programs
}

/** A `text` block that begins with `$ node file`, or the first one after `// host.mjs`. */
function toRun({ language, code, line }: Block, { files, runs }: Program): Run | undefined {
  if (language !== 'text') return undefined
  const [, command, output = ''] = /^\$ node (.+)\n([^]*)$/.exec(code) ?? []
  if (command !== undefined && files.has(command.split(' ')[0]!)) return { command: command.split(' '), output, line }
  if (runs.length > 0 || !files.has('host.mjs') || code.startsWith('$ ')) return undefined
  return { command: ['host.mjs'], output: code, line }
}
