// A server of others while it lives: it starts, lists its tools, and restarts by the rules of the bus when it ends.
import {
  type CallToolResult,
  Client,
  type McpSubscription,
  ProtocolError,
  SdkError,
  type Tool,
} from '@modelcontextprotocol/client'
import { createRestartPolicy } from '@sallyport/core/internal'
import { BusError, CommandError } from '@sallyport/core'
import { deadline, later, pause } from '@sallyport/protocol/internal/contract'
import { throwAs } from '@sallyport/protocol/internal/errors'
import { CallProgress } from '@sallyport/protocol/internal/message'
import { getBackoff, toPlainText } from '@sallyport/protocol/internal/util'
import { describeOnly } from '../shared/tools.js'
import type { OpenMcpOptions, ServerEvents } from './options.js'
import { readTools } from './list-tools.js'
import type { ServerTransport } from './server-transport.js'

/** Time for a server to answer a question of the newer protocol, before it is asked in the older one. */
const PROBE_TIMEOUT_MS = 5000
/** The SDK's own timers are over before it has read what arrived while this thread was busy: they never are. */
const NEVER_MS = 2 ** 31 - 1
const LISTEN_DELAY_MS = { min: 1000, max: 60_000 }
const REST_FACTOR = 10
/** Restarts in a row that fail. Each can last until `startTimeout`, longer than any period of a policy. */
const MAX_FAILED_RESTARTS = 3

export interface ServerLifeOptions {
  readonly name: string
  readonly createTransport: () => ServerTransport
  readonly startTimeout: number
  readonly restarts: OpenMcpOptions['restarts']
  readonly events: ServerEvents
  /** Gets the tools of each start, and of each change. */
  readonly onTools: (tools: readonly Tool[]) => void
}

export interface ToolCallOptions {
  /** Milliseconds without progress. */
  readonly timeout: number
  readonly signal: AbortSignal
  readonly onProgress: (value: unknown) => void
}

type Running = { readonly client: Client; readonly transport: ServerTransport }

export class ServerLife {
  readonly #options: ServerLifeOptions
  readonly #nextRestart: () => number | undefined
  #running: Running | undefined
  #starting: ServerTransport | undefined
  readonly #closing = new AbortController()
  #reason = 'it is starting'

  constructor(options: ServerLifeOptions) {
    this.#options = options
    this.#nextRestart = createRestartPolicy(options.restarts)
  }

  /**
   * Resolves with a result of any form: the tool has run. The errors of the SDK mean nothing to a caller.
   * @param subject - the tool, for error texts
   * @throws {BusError} Disconnected while the server does not run, or if it ends during the call; Timeout
   * @throws {CommandError} TOOL_FAILED
   */
  async call(
    subject: string,
    { name, inputSchema }: Tool,
    args: Record<string, unknown>,
    options: ToolCallOptions,
  ): Promise<Partial<CallToolResult>> {
    const server = `The MCP server ${JSON.stringify(this.#options.name)}`
    if (!this.#running) {
      throw new BusError('Disconnected', `${server} is not running: ${this.#reason}`, { data: { delivered: 'no' } })
    }
    const { client, transport } = this.#running
    const { timeout, signal, onProgress } = options
    const progress = new CallProgress({ idle: timeout })
    const late = new AbortController()
    const endDeadline = progress.watch(() => late.abort())
    const onprogress = (value: unknown): void => {
      progress.record()
      onProgress(value)
    }
    const request = { timeout: NEVER_MS, signal: AbortSignal.any([signal, late.signal]), onprogress }
    try {
      // With the schema of arguments, the SDK sends some of them in headers. Without that of results, it compiles no schema of the server.
      return await client.callTool({ name, arguments: args }, { ...request, toolDefinition: { name, inputSchema } })
    } catch (error) {
      const { message } = error as SdkError
      if (error instanceof ProtocolError) throw new CommandError('TOOL_FAILED', message, { data: error.data })
      if (late.signal.aborted)
        throw new BusError('Timeout', `${subject} timed out after ${timeout} ms without progress`)
      const lost = transport.explain(error as Error)
      if (!transport.isClosed && !lost) {
        throw new CommandError('TOOL_FAILED', `${subject} can have run, and gave no result: ${toPlainText(message)}`)
      }
      const why = lost ? `did not answer the call: ${lost.message}` : `ended during the call: ${await transport.ended}`
      throw new BusError('Disconnected', `${server} ${why}`, { data: { delivered: 'unknown' } })
    } finally {
      endDeadline()
    }
  }

  /** Resolves once the server has listed its tools. @throws {BusError} LoadFailed; LauncherUnavailable and others of `startProgram` */
  async start(): Promise<void> {
    const { name, startTimeout, onTools } = this.#options
    const transport = this.#options.createTransport()
    this.#starting = transport
    const client = this.#createClient(transport)
    const late = `it did not list its tools within the ${startTimeout} ms of "startTimeout"`
    const endDeadline = deadline(startTimeout, () => void transport.close(late))
    try {
      await client.connect(transport, { timeout: NEVER_MS })
      onTools(await listTools(client, NEVER_MS))
    } catch (error) {
      // The error of a call says less than the reason for which the program has ended.
      const { hasReason } = transport
      await transport.close()
      // Errors of `startProgram` name the option, or the remedy.
      if (error instanceof BusError) throwAs('startProgram:', 'openMcp:')(error)
      const why = hasReason ? await transport.ended : (transport.explain(error as Error) ?? (error as Error)).message
      // For the host alone: the reason of a restart reaches frontends.
      const { hint, written } = transport.describeStart()
      const text = `The MCP server ${JSON.stringify(name)} did not start: ${toPlainText(why)}${hint}`
      // The text has all of an answer.
      const cause = error instanceof ProtocolError ? undefined : error
      throw new BusError('LoadFailed', text, { cause: written === '' ? cause : new Error(written) })
    } finally {
      endDeadline()
      this.#starting = undefined
    }
    if (this.#closing.signal.aborted) return transport.close()
    this.#running = { client, transport }
    void transport.ended.then(reason => this.#onEnd(reason))
    void this.#listenAgain(client)
  }

  /** Ends the server for good. Resolves once nothing of it is left. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#reason = 'it was closed'
    await this.#starting?.close(this.#reason)
    await this.#running?.transport.close()
  }

  /** A server, or a proxy, can end the stream of changes alone: what has changed meanwhile is read then. */
  async #listenAgain(client: Client): Promise<void> {
    const { startTimeout: timeout, onTools } = this.#options
    let subscription: Pick<McpSubscription, 'closed'> | undefined = client.autoOpenedSubscription
    for (let attempt = 0; subscription; attempt++) {
      const start = performance.now()
      await subscription.closed
      if (performance.now() - start > LISTEN_DELAY_MS.max) attempt = 0
      const delay = getBackoff(attempt, LISTEN_DELAY_MS)
      await new Promise<void>(done => later(delay, done))
      if (this.#running?.client !== client) return
      const listen = async (): Promise<McpSubscription> => {
        onTools(await listTools(client, timeout))
        return client.listen({ toolsListChanged: true }, { timeout })
      }
      subscription = await listen().catch(() => ({ closed: Promise.resolve('remote' as const) }))
    }
  }

  #createClient(transport: ServerTransport): Client {
    const { name, startTimeout, onTools } = this.#options
    // Over HTTP, a server that does not know the question says so.
    const timeoutMs = transport.hasPerRequestStream ? NEVER_MS : Math.min(PROBE_TIMEOUT_MS, startTimeout / 2)
    const onChanged = paced(async () => {
      // Between its first list and the end of its start.
      if (this.#running?.client !== client) return transport.isClosed
      // It has ended, or lists no tools: those that were accepted stay.
      await listTools(client, startTimeout).then(onTools, () => {})
      return true
    })
    const client: Client = new Client(
      { name: `sallyport-${name}`, version: '0' },
      {
        versionNegotiation: { mode: 'auto', probe: { timeoutMs } },
        // The SDK would wait for a server that never pauses.
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
      },
    )
    const request = client.request.bind(client) as (...given: unknown[]) => Promise<never>
    // The tool has run, whatever its result looks like.
    client.request = ({ method, ...more }: { method: string }, ...rest: unknown[]) =>
      request({ method, ...more }, ...(method === 'tools/call' ? [describeOnly({}), rest.at(-1)] : rest))
    client.onerror = () => {
      // Calls reject by themselves, and the transport bounds all else.
    }
    return client
  }

  /** @param failures - restarts in a row that have failed */
  #onEnd(reason: string, failures = 0): void {
    this.#running = undefined
    if (this.#closing.signal.aborted) return
    const delay = failures < MAX_FAILED_RESTARTS ? this.#nextRestart() : undefined
    this.#reason = reason
    if (delay === undefined) return this.#options.events.emit('failed', { reason })
    this.#options.events.emit('restart', { reason, delay })
    const restart = (): void => void this.start().catch((error: Error) => this.#onEnd(error.message, failures + 1))
    pause(delay, this.#closing.signal).then(restart, () => {})
  }
}

/**
 * Returns a function that lets another run at once, and again once it has been called meanwhile, but not before ten times the time that this took:
 * a server can say at any time that its tools have changed, and each list costs the host's thread.
 *
 * @param run - resolves with false if it must run again
 */
function paced(run: () => Promise<boolean>): () => void {
  let [isResting, isAsked] = [false, false]
  const start = (): void => {
    if (isResting) return void (isAsked = true)
    isResting = true
    const startedAt = performance.now()
    void run().then(isDone => {
      isAsked ||= !isDone
      const rest = REST_FACTOR * (performance.now() - startedAt)
      later(Math.min(Math.max(rest, LISTEN_DELAY_MS.min), LISTEN_DELAY_MS.max), () => {
        isResting = false
        if (!isAsked) return
        isAsked = false
        start()
      })
    })
  }
  return start
}

/** Not with `client.listTools`, which collects all pages before it returns, and compiles the schemas of the server into functions of the host. */
async function listTools(client: Client, timeout: number): Promise<readonly Tool[]> {
  if (!client.getServerCapabilities()?.tools) return []
  return readTools(cursor => {
    const params = cursor === undefined ? {} : { cursor }
    return client.request({ method: 'tools/list', params }, describeOnly({}), { timeout })
  })
}
