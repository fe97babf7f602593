// Serves a bus to MCP clients: the commands that a label may call are their tools.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProtocolError, ProtocolErrorCode, Server, type Transport } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { type Bus, BusError, type ConnectionOptions } from '@sallyport/core'
import { throwAs } from '@sallyport/protocol/internal/errors'
import { loadOnce, withoutContext } from '@sallyport/protocol/internal/util'
import { checkNames, checkValue, isPositive } from '../shared/check-names.js'
import { warnOfUnserved } from '../shared/tools.js'
import { callTool, getTools, type ServedTool } from './tools.js'
import { type HttpTransport, serveHttp, takePath, type ToolService } from './serve-http.js'
import { StdioTransport } from './stdio-transport.js'

/** Options of `serveMcp`. */
export interface ServeMcpOptions {
  /** Names the label that the clients have on the bus: all rights, quotas and confirmations are its. */
  readonly label: string
  /** Allows what the label may call, in addition to capabilities. @default [] */
  readonly allow?: ConnectionOptions['allow']
  /**
   * Serves over standard input and output of this process, HTTP, or any transport of `@modelcontextprotocol/server` for one client. Until the end of a
   * service over `'stdio'`, what `process.stdout` and the console print goes to standard error.
   */
  readonly transport: 'stdio' | HttpTransport | Transport
  /** Tells clients a name and version. @default { name: 'sallyport', version: '0' } */
  readonly info?: { readonly name: string; readonly version: string }
  /** Tells a model what it should know about the tools. */
  readonly instructions?: string
  /** Limits each call, in milliseconds. @default `calls.commandTimeout` of the bus */
  readonly timeout?: number
  /** Gets errors that reach no client, such as a malformed message. */
  readonly onError?: (error: Error) => void
}

/** A running service. */
export interface McpService {
  /** Resolves once the service has ended: closed, with the bus, or by a client over stdio that has closed its end and got its answers. */
  readonly closed: Promise<void>
  /**
   * Answers a request of an HTTP server or framework, whatever its path is. Never rejects: `onError` gets errors.
   *
   * @param body - the body as a parser has returned it, if one has read the request. @default `request.body` of a request that was read
   * @throws {BusError} InvalidParams if `transport` is not that of HTTP
   * @example app.all('/mcp', (request, response) => service.handle(request, response, request.body))
   */
  handle(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void>
  /** Stops the service. Clients get no more answers. */
  close(): Promise<void>
  /** Calls `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

const OPTIONS = ['label', 'allow', 'transport', 'info', 'instructions', 'timeout', 'onError']

const isHttp = (transport: ServeMcpOptions['transport']): transport is HttpTransport =>
  typeof transport === 'object' && transport !== null && !('start' in transport)

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
  const isTransport = transport === 'stdio' || isHttp(transport) || typeof Object(transport).start === 'function'
  checkValue('serveMcp: transport', isTransport, '"stdio", { server } or a transport of the SDK')
  checkValue('serveMcp: timeout', isPositive(timeout ?? 1), 'milliseconds, more than 0')
  // Before anything can print meanwhile.
  const stdio = transport === 'stdio' ? new StdioTransport(() => void onEnd()) : undefined
  const release = isHttp(transport) ? takePath(transport) : () => stdio?.release()
  const client = await bus.connect(label, { allow }).catch((error: unknown) => {
    release()
    return throwAs('bus.connect:', 'serveMcp:')(error)
  })
  /** Each is warned of once. */
  const warned = new Set<string>()
  const loadTools = async (): Promise<ReadonlyMap<string, ServedTool>> => {
    const { tools, unserved } = getTools(await bus.describe(label))
    const others = new Map([...unserved].filter(([command]) => !warned.has(command)))
    for (const command of others.keys()) warned.add(command)
    warnOfUnserved(bus, `Commands of the label ${JSON.stringify(label)}`, others, 'Rename them.')
    return tools
  }
  // Core decides about each call again: a list that is out of date gives no right.
  let list = loadOnce(loadTools)
  /** Lets core report and count a call that the label may not make. Commands of core itself, which it may make, are no tools. */
  const denyCall = async (name: string): Promise<void> => {
    const command = name.replace(/^([a-z0-9-]+)__/, 'plugin:$1|')
    const isAllowed = async (rights: object): Promise<boolean> =>
      (await bus.describe(label, rights)).some(each => each.command === command)
    if ((await isAllowed({ allow: [command] })) && !(await isAllowed({}))) await client.invoke(command)
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
      if (!served) {
        await denyCall(name).catch(() => {})
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`)
      }
      return callTool({ client, served, args, context, timeout })
    })
    connected = server
    return server
  }
  const serveOne = (own: Transport): ToolService => {
    // The first request can be what reads standard input first.
    const { close } = withoutContext(() => serveStdio(create, { onerror: onError, transport: own }))
    const handle = async (): Promise<never> => {
      throw new BusError('InvalidParams', 'serveMcp: handle needs a transport of HTTP, such as {}')
    }
    // No client is connected before its first message.
    return { close, handle, toolsChanged: () => void connected?.sendToolListChanged().catch(() => {}) }
  }
  const service = isHttp(transport)
    ? serveHttp(create, transport, onError)
    : serveOne(stdio ?? (transport as Transport))
  const stopListening = bus.on('rightsChanged', () => {
    list = loadOnce(loadTools)
    service.toolsChanged()
  })

  let closing: Promise<void> | undefined
  const end = async (): Promise<void> => {
    stopListening()
    try {
      await service.close()
      await client.close()
    } finally {
      release()
    }
  }
  const close = (): Promise<void> => (closing ??= end())
  const onEnd = (): Promise<void> => close().catch(onError)
  return { closed: client.closed.then(onEnd), handle: service.handle, close, [Symbol.asyncDispose]: close }
}
