// Opens an MCP server of others as a core plugin: each tool is a command with a permission of its own.
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Tool } from '@modelcontextprotocol/client'
import { type AddedPlugin, type Bus, BusError } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { withoutContext } from '@sallyport/protocol/internal/util'
import {
  checkMcpOptions,
  type McpCommand,
  type McpServerEvents,
  type OpenMcpOptions,
  ServerEvents,
  type ToolChange,
} from './options.js'
import { checkValue } from '../shared/check-names.js'
import { ServerProcess } from './server-process.js'
import { createToolPlugin, findUnserved } from './tool-commands.js'
import { ToolPin } from './tool-pin.js'
import { listNames, type Unserved, warnOfUnserved } from '../shared/tools.js'

/** A server of others that is a plugin of a bus. */
export interface McpServer {
  /** Name of the plugin. */
  readonly name: string
  /** What differs from the tools that were accepted, and which of these are no commands. `added` and `changed` tools are refused. */
  readonly changes: readonly ToolChange[]
  /** Accepts the tools as they are now, or those with these names, and writes them to the pin. */
  accept(names?: readonly string[]): Promise<void>
  /** Listens to events of the server. Returns an unsubscribe function. */
  on<Name extends keyof McpServerEvents>(name: Name, listener: (event: McpServerEvents[Name]) => void): () => void
  /** Removes the plugin and ends the server, with all that it has started. The end of the bus does the same. */
  close(): Promise<void>
  /** Calls `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

const DEFAULTS = { memory: 1024, pids: 128, timeout: 60_000, startTimeout: 60_000, maxMessage: 4 * 2 ** 20 }

/**
 * Starts any MCP server over stdio, in any language, in a wall, and adds it to a bus: the tool `read_file` of the server `files` is the
 * command `plugin:files|read_file` with the permission `files:allow-read-file`, and `files:default` allows all tools that the host has accepted.
 * `files/read` would be `files_read`. What a tool returns is passed on, also if it breaks the tool's own output schema.
 *
 * @param name - of the plugin: lower-case letters, digits and `-`
 * @throws {LauncherUnavailable} if there is no wall on this machine
 * @throws {BusError} InvalidParams for an invalid option or a name that is in use; LoadFailed if the server does not start
 * @example
 * const command = { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', directory] }
 * await openMcp(bus, 'files', command, { read: [directory], net: ['registry.example.com'], tools: ['read_*'], pin: './mcp.lock.json' })
 */
export async function openMcp(
  bus: Bus,
  name: string,
  program: McpCommand,
  options: OpenMcpOptions = {},
): Promise<McpServer> {
  const isName = typeof name === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(name)
  checkValue('openMcp: the name', isName, `of a-z, 0-9 and "-", not ${JSON.stringify(name)}`)
  checkMcpOptions(program, options)
  const { command, args = [] } = program
  const { pin: pinFile, tools: globs = ['*'], restarts, onStderr, ...others } = { ...DEFAULTS, ...options }
  const { timeout, startTimeout, maxMessage, home = getHome(name), ...wall } = others
  const isServed = (tool: string): boolean => globs.some(glob => matches(glob, tool))
  const pin = await ToolPin.read(name, pinFile)
  if (options.home === undefined) await mkdir(home, { recursive: true, mode: 0o700 })
  const events = new ServerEvents()
  let current: readonly Tool[] = []
  let changes: readonly ToolChange[] = []
  let unserved: Unserved = new Map()
  const compare = (): void => {
    const differences = pin.compare(current).filter(({ tool }) => isServed(tool))
    const next = [...differences, ...Array.from(unserved, toChange)]
    const isSame = JSON.stringify(next) === JSON.stringify(changes)
    changes = next
    if (!isSame && next.length > 0) events.emit('changed', { changes })
  }
  const server = new ServerProcess({
    ...{ name, startTimeout, restarts, events },
    transport: {
      program: { ...wall, command, args, home, onDenied: denied => events.emit('denied', denied) },
      maxMessage,
      onStderr,
    },
    onTools(tools) {
      current = tools
      // Before the first start nothing was accepted, and nothing can have changed.
      if (pin.tools) compare()
    },
  })
  const getRefusal = (tool: string): string | undefined => {
    const change = changes.find(each => each.tool === tool)?.change
    return change && `it was ${change} since the host accepted it`
  }
  let isReplacing = false
  let hasPlugin = false
  const add = async (plugin: AddedPlugin): Promise<void> => {
    await bus.addPlugin({ ...plugin, teardown: () => (isReplacing ? undefined : server.close()) })
    hasPlugin = true
  }
  /** Adds what the host has accepted, after `compare` has told of what cannot be added. */
  const replaceTools = async (): Promise<void> => {
    isReplacing = true
    try {
      await bus.removePlugin(name)
      hasPlugin = false
      const accepted = (pin.tools ?? []).filter(tool => isServed(tool.name))
      unserved = findUnserved(name, accepted)
      compare()
      const remedy = 'Leave them out of `tools`, or have them renamed'
      warnOfUnserved(bus, `Tools of the MCP server ${JSON.stringify(name)}`, unserved, `${remedy}.`)
      const tools = accepted.filter(tool => !unserved.has(tool.name))
      await add(createToolPlugin({ name, tools, timeout, getRefusal, server, log: getLog(bus) }))
    } finally {
      isReplacing = false
    }
  }
  const close = async (): Promise<void> => {
    await server.close()
    if (!hasPlugin) return
    hasPlugin = false
    await bus.removePlugin(name).catch(ignoreClosedBus)
  }
  // Takes the name before the server starts.
  await add({ name, commands: {} })
  try {
    await withoutContext(() => server.start())
    if (!pin.tools) await pin.begin(current)
    await replaceTools()
  } catch (error) {
    await close()
    throw error
  }
  const unmatched = (options.tools ?? []).filter(glob => !current.some(tool => matches(glob, tool.name)))
  if (unmatched.length > 0) {
    const names = listNames(current.map(tool => tool.name))
    getLog(bus).warn(
      `No tool of the MCP server "${name}" matched ${listNames(unmatched)} of "tools". It has ${names || 'none'}.`,
    )
  }
  /** Changes of the plugin follow each other. */
  let changing = Promise.resolve()
  const change = (run: () => Promise<void>): Promise<void> => {
    const done = changing.then(run)
    changing = done.catch(() => {})
    return done
  }
  const accept = async (names?: readonly string[]): Promise<void> => {
    await pin.accept(current, names)
    await replaceTools()
  }
  return {
    name,
    get changes() {
      return changes
    },
    accept: names => change(() => accept(names)),
    on: (event, listener) => events.on(event, listener),
    close: () => change(close),
    [Symbol.asyncDispose]: () => change(close),
  }
}

const toChange = ([tool, reason]: [string, string]): ToolChange => ({ tool, change: 'unserved', reason })

/** A bus that has ended has no plugins. */
function ignoreClosedBus(error: unknown): void {
  if (!(error instanceof BusError) || error.reason !== 'Disconnected') throw error
}

/** @throws {BusError} InvalidParams if there is no home directory: a user of a container need not be in `/etc/passwd` */
function getHome(name: string): string {
  try {
    return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sallyport', 'mcp', name)
  } catch (cause) {
    const text = 'openMcp: this user has no home directory. Pass `home`, a directory in which the server can write'
    throw new BusError('InvalidParams', text, { cause })
  }
}

/** @param glob - a name with `*` for any text */
function matches(glob: string, tool: string): boolean {
  const parts = glob.split('*').map(part => part.replaceAll(/[^\w]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(tool)
}
