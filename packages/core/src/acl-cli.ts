#!/usr/bin/env node
// The command `sallyport-acl`: says who may call what in a Tauri project, for people who review its capabilities, and for CI.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cac } from 'cac'
import { type Explanation, renderExplanation } from './acl/explain.js'
import { explainProject } from './host/explain-acl.js'

// The command line of `sallyport-acl`: what was asked for, or a sentence about what is wrong with it and what there is
// instead.

export interface AclCliOptions {
  /** The configuration, or its folder. */
  project: string
  /** A core module. */
  core: string | undefined
  /** None: those that the capabilities name. */
  labels: readonly string[]
  unknownPermissions: 'error' | 'warn'
  json: boolean
}

/** A mistake of whoever typed the command. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const EXAMPLES = [
  'sallyport-acl src-tauri                            every label that its capabilities name',
  'sallyport-acl src-tauri --core ./core.js           with the commands of that core',
  'sallyport-acl --label main --label settings-1      two frontends, of the project in this folder',
  'sallyport-acl src-tauri --json > acl.json          to compare it with the last one',
]

/**
 * @param argv as in `process.argv`
 * @returns `undefined` when help or the version was asked for, and has been printed
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): AclCliOptions | undefined {
  const cli = cac('sallyport-acl')
  const command = cli
    .command('[project]', 'Who may call what')
    .option(
      '--core <file>',
      'A core module: it is loaded, not started. Without it, its commands are those that capabilities name',
    )
    .option('--label <label>', 'A frontend; may be given again (default: the labels that capabilities name)')
    .option('--unknown-permissions <how>', 'error or warn, as in createBus (default: error with --core, warn without)')
    .option('--json', 'Print it as JSON')
  cli.help(sections => [
    { body: 'sallyport-acl [tauri.conf.json | folder] [options]: says who may call what' },
    ...sections.filter(({ title }) => title === 'Options'),
    { title: 'Examples', body: EXAMPLES.map(line => `  $ ${line}`).join('\n') },
    { body: 'Exit codes: 0 said · 1 a mistake in the files · 2 usage' },
  ])
  cli.version(readVersion())
  try {
    const { args, options } = cli.parse([...argv], { run: false })
    if (options['help'] || options['version']) return undefined
    command.checkUnknownOptions()
    command.checkOptionValue()
    command.checkUnusedArgs()
    return read(args[0] ?? '.', options)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message } = error as Error
    const known = command.options.map(({ rawName }) => rawName.split(' ')[0])
    throw new UsageError(`${message}. There are ${known.join(' ')} --help --version`)
  }
}

function read(project: string, flags: Readonly<Record<string, unknown>>): AclCliOptions {
  const { core, label = [], unknownPermissions, json = false } = flags
  if (Array.isArray(core)) throw new UsageError('--core can be given once')
  const how = unknownPermissions ?? (core === undefined ? 'warn' : 'error')
  if (how !== 'error' && how !== 'warn') throw new UsageError('--unknown-permissions takes error or warn')
  return {
    project,
    core: core === undefined ? undefined : String(core),
    labels: [label].flat().map(String),
    unknownPermissions: how,
    json: json === true,
  }
}

function readVersion(): string {
  // Relative to dist/bundle/acl-cli.js.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

// What `sallyport-acl` prints: who may call what in a project.

/** @throws what `createBus` would throw, and UsageError */
export async function explain({ project, core, labels, unknownPermissions, json }: AclCliOptions): Promise<string> {
  const given = { config: find(project), unknownPermissions, ...(core !== undefined && { core: resolve(core) }) }
  const says = (of: readonly string[]): Promise<Explanation> =>
    explainProject({ ...given, ...(of.length > 0 && { labels: of }) })
  const named = await says(labels)
  // Where no capability names a frontend, it is the same for all of them.
  const explanation = named.frontends.length > 0 ? named : await says(['*'])
  return json ? `${JSON.stringify(explanation, null, 2)}\n` : renderExplanation(explanation)
}

/** From a project's own folder too: the configuration is in `src-tauri`, unless it says otherwise. */
function find(project: string): string {
  const path = resolve(project)
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${path}`)
  const inside = join(path, 'src-tauri')
  return existsSync(inside) ? inside : path
}

/** A core module may keep the process alive, and whoever reads the other end of a pipe may leave (`| head`). */
function end(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.on('error', () => process.exit(exitCode))
  stream.write(text, () => process.exit(exitCode))
}

try {
  const options = parseOptions(process.argv)
  if (options) end(process.stdout, await explain(options), 0)
} catch (error) {
  const { message } = error as Error
  end(
    process.stderr,
    `sallyport-acl: ${message.replace(/^createBus: (config: )?/, '')}\n`,
    error instanceof UsageError ? 2 : 1,
  )
}
