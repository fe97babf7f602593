// Serves a bus to MCP clients: the commands that a label may call are their tools.
import { ProtocolError, ProtocolErrorCode, Server, type Transport } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Bus, CommandDescription, ConnectionOptions } from '@sallyport/core'
import { withoutContext } from '@sallyport/protocol/internal/util'
import { checkNames, checkValue, isPositive } from '../shared/check-names.js'
import { warnOfUnserved } from '../shared/unserved.js'
import { callTool } from './call-tool.js'
import { type ToolService, type HttpTransport, serveHttp } from './serve-http.js'
import { getTools, type ServedTool } from './tools.js'
import { throwAs } from '@sallyport/protocol/internal/errors'

/** Options of `serveMcp`. */
export interface ServeMcpOptions {
  /** The label that the clients have on the bus: all rights, quotas and confirmations are its. */
  readonly label: string
  /** What the label may call, in addition to what capabilities allow. @default [] */
  readonly allow?: ConnectionOptions['allow']
  /** Standard input and output of this process, HTTP, or any transport of `@modelcontextprotocol/server` for one client. */
  readonly transport: 'stdio' | HttpTransport | Transport
  /** Name and version that clients see. @default { name: 'sallyport', version: '0' } */
  readonly info?: { readonly name: string; readonly version: string }
  /** What a model should know about the tools. */
  readonly instructions?: string
  /** Milliseconds for each call. @default `calls.commandTimeout` of the bus */
  readonly timeout?: number
  /** Gets errors that reach no client, such as a malformed message. */
  readonly onError?: (error: Error) => void
}

/** A running service. */
export interface McpService {
  /** Resolves once the service has ended: closed, with the bus, or by a client over stdio that has closed its end. */
  readonly closed: Promise<void>
  /** Stops the service. Clients get no more answers. */
  close(): Promise<void>
  /** Calls `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

const OPTIONS = ['label', 'allow', 'transport', 'info', 'instructions', 'timeout', 'onError']
const HTTP_OPTIONS = ['server', 'path', 'hosts', 'origins', 'authorize', 'maxBody', 'maxRequests']

const isHttp = (transport: ServeMcpOptions['transport']): transport is HttpTransport => 'server' in Object(transport)

/**
 * Serves the commands that a label may call as MCP tools: by the protocol 2026-07-28, and by the older ones for clients that ask for it. The tools
 * follow the rights of the label, and clients are notified of each change. It ends with the bus.
 *
 * @throws {BusError} InvalidParams for a label that is in use, an unknown option, or a mistake in `allow`
 * @example await serveMcp(bus, { label: 'agent', allow: ['read_note'], transport: 'stdio' })
 */
export async function serveMcp(bus: Bus, options: ServeMcpOptions): Promise<McpService> {
  checkNames('serveMcp', options, OPTIONS)
  const { label, allow = [], transport, timeout, onError = () => {} } = options
  const isFunction = (value: unknown): boolean => typeof value === 'function'
  if (isHttp(transport)) {
    const { server, authorize = isFunction } = transport
    checkNames('serveMcp: transport', transport, HTTP_OPTIONS)
    checkValue('serveMcp: transport.server', isFunction(Object(server).on), 'a server of node:http')
    checkValue('serveMcp: transport.authorize', isFunction(authorize), 'a function')
  } else {
    const isTransport = transport === 'stdio' || isFunction(Object(transport).start)
    checkValue('serveMcp: transport', isTransport, '"stdio", { server } or a transport of the SDK')
  }
  checkValue('serveMcp: timeout', isPositive(timeout ?? 1), 'milliseconds, more than 0')
  const client = await bus.connect(label, { allow }).catch(throwAs('bus.connect:', 'serveMcp:'))
  // Core decides about each call again: a list that is out of date gives no right.
  let listed: Promise<ReadonlyMap<string, ServedTool>> | undefined
  const list = (): Promise<ReadonlyMap<string, ServedTool>> => {
    const tools = (listed ??= bus.describe(label).then(toTools))
    tools.catch(() => {
      if (listed === tools) listed = undefined
    })
    return tools
  }
  /** Each is warned of once. */
  const warned = new Set<string>()
  const toTools = (commands: readonly CommandDescription[]): ReadonlyMap<string, ServedTool> => {
    const { tools, unserved } = getTools(commands)
    const others = new Map([...unserved].filter(([command]) => !warned.has(command)))
    for (const command of others.keys()) warned.add(command)
    warnOfUnserved(`Commands of the label ${JSON.stringify(label)}`, others, 'Rename them.')
    return tools
  }
  /** The server of the connection over stdio. That of a request over HTTP ends with it. */
  let connected: Server | undefined

  const create = (): Server => {
    const { info = { name: 'sallyport', version: '0' }, instructions } = options
    const capabilities = { tools: { listChanged: true } }
    const server = new Server(info, { capabilities, ...(instructions !== undefined && { instructions }) })
    server.onerror = onError
    server.setRequestHandler('tools/list', async () => ({
      tools: [...(await list()).values()].map(({ tool }) => tool),
    }))
    server.setRequestHandler('tools/call', async ({ params: { name, arguments: args = {} } }, context) => {
      const served = (await list()).get(name)
      if (!served) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`)
      return callTool({ client, served, args, context, timeout })
    })
    connected = server
    return server
  }
  const serveOne = (own?: Transport): ToolService => {
    // The first request can be what reads standard input first.
    const { close } = withoutContext(() => serveStdio(create, { onerror: onError, ...(own && { transport: own }) }))
    // No client is connected before its first message.
    return { close, toolsChanged: () => void connected?.sendToolListChanged().catch(() => {}) }
  }
  const service = isHttp(transport)
    ? serveHttp(create, transport, onError)
    : serveOne(transport === 'stdio' ? undefined : transport)
  const stopListening = bus.on('rightsChanged', () => {
    listed = undefined
    service.toolsChanged()
  })

  let closing: Promise<void> | undefined
  const end = async (): Promise<void> => {
    stopListening()
    process.stdin.off('end', onEnd)
    await service.close()
    await client.close()
  }
  const close = (): Promise<void> => (closing ??= end())
  const onEnd = (): void => void close().catch(onError)
  if (transport === 'stdio') process.stdin.once('end', onEnd)
  void client.closed.then(onEnd)
  return { closed: client.closed, close, [Symbol.asyncDispose]: close }
}
