#!/usr/bin/env node
// The command `sallyport`. `acl` prints who can call what in a Tauri project, for reviews of its capabilities and for CI; `doctor` prints which
// sandboxes work on this machine, why others do not, and what helps.
import manifest from '../package.json' with { type: 'json' }
import { checkRuntime } from './host/entry.js'
import { didYouMean } from './shared/suggest.js'
import { type CAC, cac } from 'cac'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Explanation, renderExplanation } from './acl/explain.js'
import { explainProject } from './host/explain-acl.js'
import { type Diagnosis, examineMachine, RECOMMENDED, type WallReport } from '@sallyport/process/internal/doctor'

const VERSION: string = manifest.version

class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * Returns `undefined` when help or the version was asked for, and has been printed.
 *
 * @param cli - with one command, the default one
 * @throws {UsageError}
 */
function parse(
  cli: CAC,
  argv: readonly string[],
): { args: readonly string[]; options: Readonly<Record<string, unknown>> } | undefined {
  cli.version(VERSION)
  const [command] = cli.commands
  try {
    const { args, options } = cli.parse([...argv], { run: false })
    if (options['help'] || options['version']) return undefined
    command!.checkUnknownOptions()
    command!.checkOptionValue()
    command!.checkUnusedArgs()
    return { args, options }
  } catch (error) {
    const { message } = error as Error
    const flags = command!.options.map(({ rawName }) => rawName.split(' ')[0])
    throw new UsageError(`${message}. The options are ${flags.join(' ')} --help --version`)
  }
}

/** Exits even if a core module keeps the process alive, or the reader of a pipe has exited (`| head`). */
function exit(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.on('error', () => process.exit(exitCode))
  stream.write(text, () => process.exit(exitCode))
}

const ACL = 'sallyport acl'
const EXAMPLES = [
  ' src-tauri                            every label in its capabilities',
  ' src-tauri --core ./core.js           with the commands of that core',
  ' --label main --label settings-1      two frontends of the project in this directory',
  ' src-tauri --json > acl.json          to compare it with an earlier one',
]

function parseOptions(argv: readonly string[]): AclCliOptions | undefined {
  const cli = cac(ACL)
  cli
    .command('[project]', 'Print who can call what')
    .option(
      '--core <file>',
      'A core module, which is loaded but not started (default: only the commands that capabilities name)',
    )
    .option('--label <label>', 'A frontend; can be repeated (default: all labels in the capabilities)')
    .option('--json', 'Print JSON')
  cli.help(sections => [
    { body: `${ACL} [tauri.conf.json | directory] [options]: print who can call what in a Tauri project` },
    ...sections.filter(({ title }) => title === 'Options'),
    { title: 'Examples', body: EXAMPLES.map(line => `  $ ${ACL}${line}`).join('\n') },
    { body: 'Exit codes: 0 success · 1 error in the files · 2 error in the command line' },
  ])
  const parsed = parse(cli, argv)
  return parsed && toOptions(parsed.args[0] ?? '.', parsed.options)
}

type AclCliOptions = ReturnType<typeof toOptions>

function toOptions(project: string, flags: Readonly<Record<string, unknown>>) {
  const { core, label = [], json = false } = flags
  if (Array.isArray(core)) throw new UsageError('--core can be given once')
  return {
    project,
    core: core === undefined ? undefined : String(core),
    labels: [label].flat().map(String),
    json: json === true,
  } as const
}

/** @throws {UsageError} for a missing project, and errors of `createBus` */
async function explain({ project, core, labels, json }: AclCliOptions): Promise<string> {
  const options = { config: findConfig(project), ...(core !== undefined && { core: resolve(core) }) }
  const explainLabels = (names: readonly string[]): Promise<Explanation> =>
    explainProject({ ...options, ...(names.length > 0 && { labels: names }) })
  let explanation = await explainLabels(labels)
  // If no capability names a frontend, all frontends have the same rights.
  if (explanation.frontends.length === 0) explanation = await explainLabels(['*'])
  return json ? `${JSON.stringify(explanation, null, 2)}\n` : renderExplanation(explanation)
}

/** Accepts the directory of a project too: its configuration is in `src-tauri` by default. */
function findConfig(project: string): string {
  const path = resolve(project)
  if (!existsSync(path)) throw new UsageError(`there is no file or directory ${path}`)
  const inside = join(path, 'src-tauri')
  return existsSync(inside) ? inside : path
}

async function runAcl(argv: readonly string[]): Promise<void> {
  try {
    const options = parseOptions(argv)
    if (options) exit(process.stdout, await explain(options), 0)
  } catch (error) {
    const text = (error as Error).message.replace(/^createBus: (config: )?/, '')
    exit(process.stderr, `${ACL}: ${text}\n`, error instanceof UsageError ? 2 : 1)
  }
}

const DOCTOR = 'sallyport doctor'

async function runDoctor(argv: readonly string[]): Promise<void> {
  const cli = cac(DOCTOR)
  cli.command('', 'Print which sandboxes work on this machine').option('--json', 'Print JSON')
  cli.help(sections => [
    { body: `${DOCTOR} [options]: print which sandboxes work on this machine, why others do not, and what helps` },
    ...sections.filter(({ title }) => title === 'Options'),
    { body: `Exit codes: 0 ${RECOMMENDED} works · 1 it does not · 2 error in the command line` },
  ])
  try {
    const parsed = parse(cli, argv)
    if (!parsed) return
    const diagnosis = await examineMachine()
    const text = parsed.options['json'] === true ? JSON.stringify(diagnosis, null, 2) : render(diagnosis)
    exit(process.stdout, `${text}\n`, diagnosis.isReady ? 0 : 1)
  } catch (error) {
    exit(process.stderr, `${DOCTOR}: ${(error as Error).message}\n`, error instanceof UsageError ? 2 : 1)
  }
}

const UNREAPED =
  'Process 1 is Node.js, which reaps no orphans: each walled process stays. Start the container with --init.'
const ENFORCEMENTS = {
  cgroup: 'by the kernel, in a cgroup',
  checks: 'by checks ten times a second: this host may not make a cgroup',
  mount: 'by the size of a file system in memory',
  disk: 'no quota of bytes or files: the limit is that of the file system of each directory',
  none: 'not limited here',
} as const

function render({ node, walls, limits, sandboxes, isReady, place }: Diagnosis): string {
  const network = node.closesNetwork ? 'closes the network' : 'cannot close the network: Node.js 25 and later can'
  const table = sandboxes.map(({ sandbox, runs, network, holds }) => [sandbox, runs, network, holds])
  return [
    `Node.js ${node.version}, ${node.platform}`,
    `  its permission model ${network}`,
    'Walls',
    ...walls.map(wall => `  ${describeWall(wall)}`),
    'Limits of a process in a wall',
    ...Object.entries(limits).map(([name, how]) => `  ${name}: ${ENFORCEMENTS[how]}`),
    'Sandboxes here',
    ...align([['sandbox', 'runs', 'network', 'holds hostile code'], ...table]).map(line => `  ${line}`),
    '',
    `For third-party code, ${RECOMMENDED} ${isReady ? 'works' : 'does not start'} here.`,
    ...(process.pid === 1 ? [UNREAPED] : []),
    ...(place
      ? [`To allow bubblewrap (section "${place.section}" of the guide's page "Deploying"), run`, `  ${place.command}`]
      : []),
  ].join('\n')
}

const describeWall = ({ name, works, program, reason }: WallReport): string =>
  [
    works ? `${name}: works` : reason?.startsWith(name) ? reason : `${name}: ${reason}`,
    ...(program === undefined ? [] : [`    ${program}`]),
  ].join('\n')

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = {
  acl: runAcl,
  doctor: runDoctor,
}

const HELP = `sallyport <command> [options]
  doctor  print which sandboxes work on this machine, why others do not, and what helps
  acl     print who can call what in a Tauri project
sallyport <command> --help prints the options of a command`

const [node = '', program = '', name = '', ...args] = process.argv
const fail = (text: string, exitCode: number): void => exit(process.stderr, `sallyport: ${text}\n`, exitCode)
try {
  checkRuntime()
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (run) await run([node, program, ...args])
  else if (name === '--help' || name === '-h') exit(process.stdout, `${HELP}\n`, 0)
  else if (name === '--version' || name === '-v') exit(process.stdout, `${VERSION}\n`, 0)
  else if (name === '') fail(`a command is missing\n${HELP}`, 2)
  else fail(`unknown command ${name}${didYouMean(name, Object.keys(COMMANDS))}\n${HELP}`, 2)
} catch (error) {
  fail((error as Error).message, 1)
}
