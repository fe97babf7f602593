#!/usr/bin/env node
// The command `sallyport`. `acl` prints who can call what in a Tauri project, for reviews of its capabilities and for CI; `doctor` prints which
// sandboxes work on this machine, why others do not, and what helps.
import {
  type CommandSet,
  type Options,
  readCommandLine,
  UsageError,
  type Values,
  wrap,
} from '@sallyport/protocol/internal/command-line'
import manifest from '../package.json' with { type: 'json' }
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Explanation, renderExplanation } from './acl/explain.js'
import { checkRuntime } from './host/entry.js'
import { explainProject } from './options/explain-acl.js'
import { escapeLines } from './life/reporting/terminal-log.js'
import { type Diagnosis, examineMachine, type WallReport } from '@sallyport/process/internal/doctor'

const JSON_OPTION: Options = { json: [null, 'Print JSON'] }

const COMMANDS: CommandSet = {
  name: 'sallyport',
  version: manifest.version,
  commands: {
    doctor: {
      usage: '[options]',
      about: 'print which sandboxes work on this machine, why others do not, and what helps',
      options: JSON_OPTION,
      notes: 'Exit codes: 0 a sandbox for third-party code works · 1 none does · 2 error in the command line',
    },
    acl: {
      usage: '[tauri.conf.json | directory] [options]',
      about: 'print who can call what in a Tauri project',
      options: {
        core: ['file', 'A core module, which is loaded but not started (default: only the commands of capabilities)'],
        label: ['label', 'A frontend; can be repeated (default: all labels in the capabilities)'],
        ...JSON_OPTION,
      },
      notes: `Examples:
  $ sallyport acl src-tauri                            every label
  $ sallyport acl src-tauri --core ./core.js           with commands of that core
  $ sallyport acl --label main --label settings-1      two frontends
  $ sallyport acl src-tauri --json > acl.json          to compare it later

Exit codes: 0 success · 1 error in the files · 2 error in the command line`,
      words: 1,
    },
  },
}

interface Output {
  text: string
  exitCode: number
}

async function runAcl([project = '.']: readonly string[], values: Values): Promise<Output> {
  const { core: [core] = [], label: labels = [], json } = values
  const options = { config: findConfig(project), ...(core !== undefined && { core: resolve(core) }) }
  const explainLabels = (names: readonly string[]): Promise<Explanation> =>
    explainProject({ ...options, ...(names.length > 0 && { labels: names }) })
  let explanation = await explainLabels(labels)
  // If no capability names a frontend, all frontends have the same rights.
  if (explanation.frontends.length === 0) explanation = await explainLabels(['*'])
  const text = json ? JSON.stringify(explanation, null, 2) : renderExplanation(explanation).trimEnd()
  return { text, exitCode: 0 }
}

/** Accepts the directory of a project too: its configuration is in `src-tauri` by default. */
function findConfig(project: string): string {
  const path = resolve(project)
  if (!existsSync(path)) throw new UsageError(`there is no file or directory ${path}`)
  const inside = join(path, 'src-tauri')
  return existsSync(inside) ? inside : path
}

async function runDoctor({ json }: Values): Promise<Output> {
  const diagnosis = await examineMachine()
  const text = json ? JSON.stringify(diagnosis, null, 2) : render(diagnosis, process.stdout.columns)
  return { text, exitCode: diagnosis.isReady ? 0 : 1 }
}

const UNREAPED =
  'Process 1 is Node.js, which reaps no orphans: each walled process stays. Start the container with --init.'
const ENFORCEMENTS = {
  cgroup: 'by the kernel, in a cgroup',
  checks: 'by checks ten times a second',
  mount: 'by the size of a file system in memory',
  disk: 'no quota of bytes or files: the limit is that of the file system of each directory',
  none: 'not limited here',
} as const

/** @param columns - those of a terminal. Elsewhere a line stays one, for `grep` */
function render(diagnosis: Diagnosis, columns = Infinity): string {
  const { node, walls, mounts, limits, sandboxes, isReady, recommended, remark, advice, place } = diagnosis
  const network = node.closesNetwork ? 'closes the network' : 'cannot close the network: Node.js 25 and later can'
  const rows = [
    ['sandbox', 'runs', 'network', 'holds hostile code'],
    ...sandboxes.map(({ sandbox, runs, network, holds }) => [sandbox, runs, network, holds]),
  ]
  const table = align(rows)
  const isWide = table.some(line => line.length + 2 > columns)
  const lines = [
    `Node.js ${node.version}, ${node.platform}`,
    `  its permission model ${network}`,
    'Walls',
    ...walls.flatMap(describeWall).map(line => `  ${line}`),
    ...(mounts
      ? [`  bubblewrap takes ${mounts.startMs} ms with the ${mounts.count} mounts of this host, and longer with more`]
      : []),
    ...(limits ? ['Limits of a process in a wall'] : []),
    ...Object.entries(limits ?? {}).map(([name, how]) => `  ${name}: ${ENFORCEMENTS[how]}`),
    'Sandboxes here',
    ...(isWide ? rows.flatMap(([sandbox, ...cells]) => [sandbox, `  ${cells.join(' · ')}`]) : table).map(
      line => `  ${line}`,
    ),
    '',
    `For third-party code, ${recommended} ${isReady ? 'works' : 'does not start'} here${remark === undefined ? '.' : `, ${remark}`}`,
    ...(process.pid === 1 ? [UNREAPED] : []),
    ...(place
      ? [
          `To allow bubblewrap (section "${place.name}" of the guide's page "Deploying"), run`,
          ...(isReady ? [`  ${place.command}`] : []),
        ]
      : []),
    advice,
  ]
  return lines.flatMap(line => fit(line, columns)).join('\n')
}

/** Continues a line that is too long below its own beginning. */
function fit(line: string, columns: number): string[] {
  const start = /^ */.exec(line)![0]
  const [first, ...others] = wrap(line.slice(start.length), columns - start.length - 2)
  return [`${start}${first}`, ...others.map(rest => `${start}  ${rest}`)]
}

const describeWall = ({ name, works, program, reason, about }: WallReport): string[] => [
  works ? `${name}: works, ${about}` : reason?.startsWith(name) ? reason : `${name}: ${reason}`,
  ...(program === undefined ? [] : [`  ${program}`]),
]

function align(rows: readonly (readonly string[])[]): string[] {
  const getWidth = (column: number): number => Math.max(...rows.map(row => row[column]?.length ?? 0))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(getWidth(column)))
      .join('  ')
      .trimEnd(),
  )
}

/** Exits even if a core module keeps the process alive, or the reader of a pipe has exited (`| head`). */
function exit(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.on('error', () => process.exit(exitCode))
  // Of files and modules of a project, which others may have written.
  stream.write(`${escapeLines(text)}\n`, () => process.exit(exitCode))
}

async function run(argv: readonly string[]): Promise<Output> {
  checkRuntime()
  const line = readCommandLine(COMMANDS, argv)
  if (line.print !== undefined) return { text: line.print, exitCode: 0 }
  return line.command === 'acl' ? runAcl(line.words, line.values) : runDoctor(line.values)
}

const argv = process.argv.slice(2)
try {
  const { text, exitCode } = await run(argv)
  exit(process.stdout, text, exitCode)
} catch (error) {
  const [name = ''] = argv
  const subject = Object.hasOwn(COMMANDS.commands, name) ? `sallyport ${name}` : 'sallyport'
  const text = (error as Error).message.replace(/^createBus: (config: )?/, '')
  exit(process.stderr, `${subject}: ${text}`, error instanceof UsageError ? 2 : 1)
}
