// `sallyport-mcp doctor`: what the servers of a client's configuration can reach today, and what they could in a wall. It starts none, and changes nothing.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { LauncherUnavailable, startProgram } from '@sallyport/process/internal/launchers'
import { type CommandLine, UsageError } from '@sallyport/protocol/internal/command-line'
import { isObject, isTexts, parseJson } from '@sallyport/protocol/internal/util'
import { quote } from './quote.js'

interface ServerReport {
  readonly name: string
  /** Absent for one over HTTP, which is no program of this machine. */
  readonly reaches?: Reach
  /** What it would reach with `line`. Absent if it is in a wall already. */
  readonly walled?: Reach & { readonly line: string }
}

interface Reach {
  readonly files: string
  readonly hosts: string
  readonly variables: string
}

interface Report {
  /** Why no server can be in a wall here. */
  readonly noWall?: string
  readonly servers: readonly ServerReport[]
}

const UNWALLED: Reach = {
  files: 'all that you can read and change',
  hosts: 'all hosts, and what listens on this machine',
  variables: 'all that its client passes on',
}

/** @param readWrap - reads the arguments behind `sallyport-mcp`. @throws {UsageError} for a file that is no configuration */
export async function examineServers(file: string, readWrap: (args: string[]) => CommandLine): Promise<Report> {
  const servers = Object.entries(readServers(file)).map(([name, { command, args, env, url }]): ServerReport => {
    if (typeof command !== 'string') return { name: typeof url === 'string' ? `${name} (over HTTP)` : name }
    const words = [command, ...(isTexts(args) ? args : [])]
    const at = words.indexOf('wrap')
    if (at >= 0 && /sallyport/.test(words.slice(0, at).join(' '))) {
      return { name, reaches: describe(readWrap(words.slice(at))) }
    }
    const paths = words.slice(1).filter(word => isAbsolute(word) && existsSync(word))
    const variables = Object.keys(Object(env))
    const options = [...paths.map(path => ['--read', path]), ...variables.map(each => ['--env', each])].flat()
    const line = ['wrap', ...options, '--', ...words]
    return { name, reaches: UNWALLED, walled: { ...describe(readWrap(line)), line: line.map(quote).join(' ') } }
  })
  return { ...(await findNoWall()), servers }
}

export const render = ({ noWall, servers }: Report): string =>
  [
    noWall === undefined ? 'Servers can be in a wall here.' : `No server can be in a wall here: ${noWall}`,
    ...servers.flatMap(({ name, reaches, walled }) => [
      ...['', name],
      ...(reaches ? toRows(walled ? 'today' : 'in its wall', reaches) : ['  no program of this machine']),
      ...(walled ? [...toRows('with wrap', walled), `  npx -y @sallyport/mcp ${walled.line}`] : []),
    ]),
  ].join('\n')

const toRows = (when: string, { files, hosts, variables }: Reach): string[] => [
  ...[`  ${when}:`, `    files      ${files}`, `    hosts      ${hosts}`, `    variables  ${variables}`],
]

/** Of Claude, Cursor and others: `mcpServers`; of VS Code: `servers`. */
function readServers(file: string): Record<string, Record<string, unknown>> {
  try {
    const { mcpServers, servers = mcpServers } = Object(parseJson(readFileSync(file, 'utf8')))
    if (isObject(servers) && Object.values(servers).every(isObject)) return servers as never
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  throw new UsageError(`${file} has no servers: mcpServers, or servers`)
}

function describe(commandLine: CommandLine): Reach {
  const values = commandLine.print === undefined ? commandLine.values : {}
  const { read = [], write = [], net = [], secret = [], env = [], wall = [] } = values
  if (wall.at(-1) === 'none') return UNWALLED
  const places = [...read, ...write.map(path => `${path} (to change)`), 'those of the system', 'a home of its own']
  const hosts = [...net, ...secret.map(entry => entry.slice(entry.indexOf('=') + 1))]
  const names = [
    ...env.map(entry => entry.split('=')[0]!),
    ...secret.map(entry => `${entry.split('=')[0]} (a placeholder)`),
  ]
  return { files: places.join(', '), hosts: hosts.join(', ') || 'none', variables: names.join(', ') || 'none' }
}

async function findNoWall(): Promise<Pick<Report, 'noWall'>> {
  try {
    await (
      await startProgram({ command: 'true' })
    ).exited
    return {}
  } catch (error) {
    if (error instanceof LauncherUnavailable) return { noWall: error.message }
    throw error
  }
}
