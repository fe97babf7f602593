// The command `sallyport acl`: prints who can call what in a Tauri project, for reviews of its capabilities and for CI.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cac } from 'cac'
import { type Explanation, renderExplanation } from '../acl/explain.js'
import { explainProject } from '../host/explain-acl.js'
import { exit, parse, UsageError } from './command-line.js'

const NAME = 'sallyport acl'
const EXAMPLES = [
  ' src-tauri                            every label in its capabilities',
  ' src-tauri --core ./core.js           with the commands of that core',
  ' --label main --label settings-1      two frontends of the project in this directory',
  ' src-tauri --json > acl.json          to compare it with an earlier one',
]

/** Returns `undefined` when help or the version was asked for, and has been printed. */
function parseOptions(argv: readonly string[]): AclCliOptions | undefined {
  const cli = cac(NAME)
  cli
    .command('[project]', 'Print who can call what')
    .option(
      '--core <file>',
      'A core module, which is loaded but not started (default: only the commands that capabilities name)',
    )
    .option('--label <label>', 'A frontend; can be repeated (default: all labels in the capabilities)')
    .option('--json', 'Print JSON')
  cli.help(sections => [
    { body: `${NAME} [tauri.conf.json | directory] [options]: print who can call what in a Tauri project` },
    ...sections.filter(({ title }) => title === 'Options'),
    { title: 'Examples', body: EXAMPLES.map(line => `  $ ${NAME}${line}`).join('\n') },
    { body: 'Exit codes: 0 success · 1 error in the files · 2 error in the command line' },
  ])
  const parsed = parse(cli, argv)
  return parsed && toOptions(parsed.args[0] ?? '.', parsed.options)
}

type AclCliOptions = ReturnType<typeof toOptions>

/** @param project - the configuration, or its directory */
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

export async function runAcl(argv: readonly string[]): Promise<void> {
  try {
    const options = parseOptions(argv)
    if (options) exit(process.stdout, await explain(options), 0)
  } catch (error) {
    const text = (error as Error).message.replace(/^createBus: (config: )?/, '')
    exit(process.stderr, `${NAME}: ${text}\n`, error instanceof UsageError ? 2 : 1)
  }
}
