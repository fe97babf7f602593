// Opens an MCP server of others as a core plugin: each tool is a command with a permission of its own.
import { mkdir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { type Bus, BusError } from '@sallyport/core'
import { getHomeDirectory } from '@sallyport/core/internal'
import type { ProgramOptions } from '@sallyport/core/launchers'
import { checkValue } from '../shared/checks.js'
import { type McpServer, OpenedServer } from './opened-server.js'
import {
  checkMcpOptions,
  isRemote,
  type McpCommand,
  type McpRemote,
  type OpenMcpOptions,
  readRemote,
  ServerEvents,
} from './options.js'
import { ProgramTransport } from './program-transport.js'
import { RemoteTransport } from './remote-transport.js'
import type { ServerTransport } from './server-transport.js'
import { ToolPin } from './tool-pin.js'

const DEFAULTS = { memory: 1024, pids: 128, timeout: 60_000, startTimeout: 60_000, maxMessage: 4 * 2 ** 20 }

/**
 * Starts any MCP server over stdio, in any language, in a wall, or reaches one over HTTP, and adds it to a bus: the tool `read_file` of the server `files` is the
 * command `plugin:files|read_file` with the permission `files:allow-read-file`, and `files:default` allows all tools that the host has accepted.
 * `files/read` would be `files_read`. What a tool returns is passed on, also if it breaks the tool's own output schema.
 *
 * @param name - of the plugin: lower-case letters, digits and `-`
 * @throws {LauncherUnavailable} if there is no wall on this machine
 * @throws {BusError} InvalidParams for an invalid option or a name that is in use; LoadFailed if the server does not start
 * @example
 * const command = { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', directory] }
 * await openMcp(bus, 'search', { url: 'https://mcp.example.com/mcp' }, { pin: './mcp.lock.json' })
 * await openMcp(bus, 'files', command, { read: [directory], net: ['registry.example.com'], tools: ['read_*'], pin: './mcp.lock.json' })
 */
export async function openMcp(
  bus: Bus,
  name: string,
  server: McpCommand | McpRemote,
  options: OpenMcpOptions = {},
): Promise<McpServer> {
  const isName = typeof name === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(name)
  checkValue('openMcp: the name', isName, `of a-z, 0-9 and "-", not ${JSON.stringify(name)}`)
  checkMcpOptions(server, options)
  const { pin: pinFile, tools: globs, restarts, timeout, startTimeout, ...connection } = { ...DEFAULTS, ...options }
  const events = new ServerEvents()
  const onDenied: OnDenied = denied => events.emit('denied', denied)
  const hasHttp = isRemote(server)
  const limits = { ...connection, timeout: Math.max(timeout, startTimeout) }
  const createTransport = hasHttp
    ? prepareRemote(server, limits, onDenied)
    : await prepareProgram(name, server, limits, onDenied)
  const pin = await ToolPin.read(name, pinFile)
  const isOwn = !hasHttp && pin.isBelow([...(options.write ?? []), options.home ?? getHome(name)])
  checkValue('openMcp: pin', !isOwn, 'outside of "write" and "home": the server could accept its own changes')
  const life = { name, startTimeout, restarts, events, createTransport }
  const opened = new OpenedServer({ ...life, bus, globs, timeout, pin, hasHttp })
  await opened.open()
  return opened
}

type OnDenied = NonNullable<ProgramOptions['onDenied']>
/** `timeout` is for each response of a server over HTTP, and for a program to take a part of what it is sent. */
type Connection = Pick<OpenMcpOptions, 'home' | 'net' | 'onStderr'> &
  Required<Pick<OpenMcpOptions, 'maxMessage' | 'timeout'>>

async function prepareProgram(
  name: string,
  { command, args = [] }: McpCommand,
  { maxMessage, timeout, onStderr, home: given, ...wall }: Connection,
  onDenied: OnDenied,
): Promise<() => ServerTransport> {
  const home = given ?? getHome(name)
  if (given === undefined) await mkdir(home, { recursive: true, mode: 0o700 })
  const transport = { program: { ...wall, command, args, home, onDenied }, maxMessage, timeout, onStderr }
  return () => new ProgramTransport(transport)
}

function prepareRemote(
  server: McpRemote,
  { net, maxMessage, timeout }: Connection,
  onDenied: OnDenied,
): () => ServerTransport {
  const target = { ...readRemote(server, net), authProvider: server.authProvider }
  return () => new RemoteTransport({ ...target, maxMessage, timeout, onDenied })
}

/** @throws {BusError} InvalidParams if there is no home directory: a user of a container need not be in `/etc/passwd` */
export function getHome(name: string): string {
  try {
    const { XDG_CACHE_HOME: cache = '' } = process.env
    return join(isAbsolute(cache) ? cache : join(getHomeDirectory(), '.cache'), 'sallyport', 'mcp', name)
  } catch (cause) {
    const text = 'openMcp: this user has no home directory. Pass `home`, a directory in which the server can write'
    throw new BusError('InvalidParams', text, { cause })
  }
}
