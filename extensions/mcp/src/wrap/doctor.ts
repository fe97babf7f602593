// `sallyport-mcp doctor`: what the servers of a client's configuration can reach today, and what they could in a wall. It starts none, and changes nothing.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { LauncherUnavailable, startProgram } from '@sallyport/process/internal/launchers'
import { type CommandLine, UsageError } from '@sallyport/protocol/internal/command-line'
import { escapeHidden, isObject, isTexts, parseJson } from '@sallyport/protocol/internal/util'
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

type Server = Readonly<Record<string, unknown>>

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

/** What starts this program, and no other of a similar name. */
const OWN =
  /^(?:(?:\S*\/)?npx(?:\.cmd)?(?: -y| --yes)* @sallyport\/mcp(?:@[\w.^~-]+)?|(?:\S*\/)?sallyport-mcp|(?:\S*\/)?node \S*\/mcp\/dist\/bundle\/cli\.js)$/

/** @param readWrap - reads the arguments behind `sallyport-mcp`. @throws {UsageError} for a file that is no configuration */
export async function examineServers(file: string, readWrap: (args: string[]) => CommandLine): Promise<Report> {
  const servers = readServers(file).map(([name, server]) => {
    try {
      return examine(name, server, readWrap)
    } catch (cause) {
      throw new UsageError(`${file}: ${JSON.stringify(name)}: ${(cause as Error).message}`, { cause })
    }
  })
  return { ...(await findNoWall()), servers }
}

function examine(name: string, server: Server, readWrap: (args: string[]) => CommandLine): ServerReport {
  const { command, args, env, url } = server
  if (typeof command !== 'string') return { name: typeof url === 'string' ? `${name} (over HTTP)` : name }
  const words = [command, ...(isTexts(args) ? args : [])]
  const at = words.indexOf('wrap')
  if (at > 0 && OWN.test(words.slice(0, at).join(' '))) return { name, reaches: describe(readWrap(words.slice(at))) }
  const paths = words.slice(1).filter(word => isAbsolute(word) && existsSync(word))
  const variables = Object.keys(Object(env))
  const options = [...paths.map(path => ['--read', path]), ...variables.map(each => ['--env', each])].flat()
  const line = ['wrap', ...options, '--', ...words]
  return { name, reaches: UNWALLED, walled: { ...describe(readWrap(line)), line: line.map(quote).join(' ') } }
}

export const render = ({ noWall, servers }: Report): string =>
  [
    noWall === undefined ? 'Servers can be in a wall here.' : `No server can be in a wall here: ${noWall}`,
    ...servers.flatMap(({ name, reaches, walled }) => [
      ...['', escapeHidden(name)],
      ...(reaches ? toRows(walled ? 'today' : 'in its wall', reaches) : ['  no program of this machine']),
      ...(walled ? [...toRows('with wrap', walled), `  npx -y @sallyport/mcp ${walled.line}`] : []),
    ]),
  ].join('\n')

const toRows = (when: string, { files, hosts, variables }: Reach): string[] => [
  ...[`  ${when}:`, `    files      ${files}`, `    hosts      ${hosts}`, `    variables  ${variables}`].map(
    escapeHidden,
  ),
]

/** Of Claude, Cursor and others: `mcpServers`; of VS Code: `servers`. A client reads one of them, whatever the other has. */
function readServers(file: string): [name: string, server: Server][] {
  try {
    const { mcpServers, servers } = Object(parseJson(withoutComments(readFileSync(file, 'utf8'))))
    const lists = [mcpServers, servers].filter(each => each !== undefined)
    const found = lists.flatMap(each => Object.entries<Server>(Object(each)))
    if (lists.length > 0 && lists.every(isObject) && found.every(([, each]) => isObject(each))) return found
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  throw new UsageError(`${file} has no servers: mcpServers, or servers`)
}

/** VS Code takes comments, and a comma behind the last member. Lines and columns stay. */
function withoutComments(text: string): string {
  const blank = (pattern: RegExp, from: string): string =>
    from.replaceAll(pattern, (found, kept?: string) => kept ?? found.replaceAll(/[^\n]/g, ' '))
  const plain = blank(/("(?:[^"\\\n]|\\.)*")|\/\/.*|\/\*[^]*?\*\/|^\ufeff/g, text)
  return blank(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[\]}])/g, plain)
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
