// Serves a bus to MCP clients: the commands that a label may call are their tools.
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  McpServer,
  type Server,
  type ServerContext,
  type Transport,
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { type Bus, BusError, type Client, type ConnectionOptions } from '@sallyport/core'
import { connectUsers } from '@sallyport/core/internal'
import { checkOptions, FUNCTION, OBJECT, type OptionChecks, STRING, throwAs } from '@sallyport/protocol/internal/errors'
import { withoutContext } from '@sallyport/protocol/internal/util'
import { MILLISECONDS } from '../shared/checks.js'
import { LabelTools } from './label-tools.js'
import { Rounds } from './rounds.js'
import { callTool } from './tools.js'
import { WaitingCalls } from './waiting-calls.js'
import { type HttpTransport, serveHttp, takePath, type ToolService } from './serve-http.js'
import { StdioTransport } from './stdio-transport.js'

/** Options of `serveMcp`. */
export interface ServeMcpOptions {
  /** Names the label that the clients have on the bus: all rights, quotas and confirmations are its. */
  readonly label: string
  /** Allows what the label may call, in addition to capabilities. @default [] */
  readonly allow?: ConnectionOptions['allow']
  /**
   * Serves over standard input and output of this process, HTTP, or any transport of `@modelcontextprotocol/server` for one client. Over `'stdio'`, what
   * `process.stdout` and the console print goes to standard error: until the end of the service, or of the process if the client has ended its input.
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

const isHttp = (transport: ServeMcpOptions['transport']): transport is HttpTransport =>
  typeof transport === 'object' && transport !== null && !('start' in transport)

const OPTIONS: OptionChecks<ServeMcpOptions> = {
  // `bus.connect` checks these two.
  label: undefined,
  allow: undefined,
  transport: [
    value =>
      value === 'stdio' || isHttp(value as HttpTransport) || typeof (Object(value) as Transport).start === 'function',
    '"stdio", { server } or a transport of the SDK',
    'required',
  ],
  info: OBJECT,
  instructions: STRING,
  timeout: MILLISECONDS,
  onError: FUNCTION,
}

/**
 * Serves the commands that a label may call as MCP tools: by the protocol 2026-07-28, and by the older ones for clients that ask for it. The tools
 * follow the rights of the label, and clients are notified of each change. It ends with the bus.
 *
 * @throws {BusError} InvalidParams for a label that is in use, an unknown option, or a mistake in `allow`
 * @example await serveMcp(bus, { label: 'agent', allow: ['read_note'], transport: 'stdio' })
 */
export async function serveMcp(bus: Bus, options: ServeMcpOptions): Promise<McpService> {
  const { label, allow = [], transport } = checkOptions('serveMcp', options, OPTIONS)
  // Before anything can print meanwhile.
  const stdio = transport === 'stdio' ? new StdioTransport(() => void service?.end()) : undefined
  const release = isHttp(transport) ? takePath(transport) : () => stdio?.release()
  let service: Service | undefined
  const client = await connectUsers(bus, label, { allow }).catch((error: unknown) => {
    release()
    return throwAs('bus.connect:', 'serveMcp:')(error)
  })
  service = new Service(bus, client, options, stdio, release)
  return service
}

/** Each request of today's protocol has the client's capabilities; before, those of the connection count. */
function canAskUser(server: Server, { mcpReq }: ServerContext): boolean {
  const envelope: Record<string, ClientCapabilities | undefined> = mcpReq.envelope ?? {}
  const { elicitation } = envelope[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities() ?? {}
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

class Service implements McpService {
  readonly closed: Promise<void>
  readonly handle: McpService['handle']
  readonly #client: Client
  readonly #options: ServeMcpOptions
  readonly #tools: LabelTools
  readonly #waiting: WaitingCalls
  readonly #rounds: Rounds
  readonly #service: ToolService
  readonly #release: () => void
  readonly #stopListening: () => void
  /** The server of the connection over stdio. That of a request over HTTP ends with it. */
  #connected: Server | undefined
  #closing: Promise<void> | undefined

  /** @param release - gives back the path, or standard output */
  constructor(
    bus: Bus,
    client: Client,
    options: ServeMcpOptions,
    stdio: StdioTransport | undefined,
    release: () => void,
  ) {
    this.#client = client
    this.#options = options
    this.#release = release
    this.#tools = new LabelTools(bus, client, options.label, isHttp(options.transport))
    this.#waiting = new WaitingCalls(bus, client, options.label)
    this.#rounds = new Rounds(bus, options.label, this.#waiting)
    const { transport } = options
    const create = (): Promise<McpServer> => this.#createServer()
    this.#service = isHttp(transport)
      ? serveHttp(create, transport, this.#onError)
      : this.#serveOne(create, stdio ?? (transport as Transport))
    this.handle = this.#service.handle
    this.#stopListening = bus.on('rightsChanged', () => {
      this.#tools.refresh()
      this.#service.toolsChanged()
    })
    this.closed = client.closed.then(() => this.end())
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Closes, and reports the error of it. */
  end(): Promise<void> {
    return this.close().catch(this.#onError)
  }

  readonly #onError = (error: Error): void => this.#options.onError?.(error)

  async #close(): Promise<void> {
    this.#stopListening()
    this.#waiting.stop()
    try {
      await this.#service.close()
      await this.#client.close()
    } finally {
      this.#release()
    }
  }

  async #createServer(): Promise<McpServer> {
    const { info = { name: 'sallyport', version: '0' }, instructions, timeout } = this.#options
    const capabilities = { tools: { listChanged: true } }
    const requestState = { verify: this.#rounds.verify }
    const options = { capabilities, requestState, ...(instructions !== undefined && { instructions }) }
    const tools = await this.#tools.load()
    // The SDK compares headers with arguments that want one (`x-mcp-header`), before a call.
    const toolInputSchemaJson = (name: string): object | undefined => tools.get(name)?.tool.inputSchema
    const product: McpServer = Object.assign(new McpServer(info, options), { toolInputSchemaJson })
    const { server } = product
    server.onerror = this.#onError
    server.setRequestHandler('tools/list', async () => ({ tools: await this.#tools.list() }))
    server.setRequestHandler('tools/call', async ({ params: { name, arguments: args = {} } }, context) => {
      const served = await this.#tools.find(name)
      const canAsk = canAskUser(server, context)
      const parts = { client: this.#client, rounds: this.#rounds, waiting: this.#waiting }
      return callTool({ ...parts, served, args, context, canAsk, timeout })
    })
    this.#connected = server
    return product
  }

  #serveOne(create: () => Promise<McpServer>, transport: Transport): ToolService {
    // The first request can be what reads standard input first.
    const { close } = withoutContext(() => serveStdio(create, { onerror: this.#onError, transport }))
    const handle = async (): Promise<never> => {
      throw new BusError('InvalidParams', 'serveMcp: handle needs a transport of HTTP, such as {}')
    }
    // No client is connected before its first message.
    return { close, handle, toolsChanged: () => void this.#connected?.sendToolListChanged().catch(() => {}) }
  }
}
