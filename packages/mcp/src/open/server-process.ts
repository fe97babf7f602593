// A server of others while it lives: it is started, lists its tools, and restarts by the rules of the bus when it ends.
import { Client, type Tool } from '@modelcontextprotocol/client'
import { BusError } from '@sallyport/core'
import { createRestartPolicy, type RestartPolicy } from '@sallyport/core/launchers'
import type { ServerEvents } from './events.js'
import { ProgramTransport, type ProgramTransportOptions } from './program-transport.js'

/** Tools that a server can have, and pages and characters in which it lists them. */
const MAX_TOOLS = 1000
const MAX_PAGES = 64
const MAX_CHARACTERS = 2 * 2 ** 20
/** Time for a server to answer a question of the newer protocol, before it is asked in the older one. */
const PROBE_TIMEOUT_MS = 5000

export interface ServerProcessOptions {
  readonly name: string
  readonly transport: ProgramTransportOptions
  readonly startTimeout: number
  readonly restarts: RestartPolicy | undefined
  readonly events: ServerEvents
  /** Gets the tools of each start, and of each change. */
  readonly onTools: (tools: readonly Tool[]) => void
}

type Running = { readonly client: Client; readonly transport: ProgramTransport }

export class ServerProcess {
  readonly #options: ServerProcessOptions
  readonly #restarts: RestartPolicy
  #running: Running | undefined
  #starting: ProgramTransport | undefined
  #timer: NodeJS.Timeout | undefined
  #reason = 'it is starting'
  #isClosed = false

  constructor(options: ServerProcessOptions) {
    this.#options = options
    this.#restarts = options.restarts ?? createRestartPolicy()
  }

  /** @throws {BusError} Disconnected while the server does not run */
  get client(): Client {
    if (this.#running) return this.#running.client
    const text = `The MCP server ${JSON.stringify(this.#options.name)} is not running: ${this.#reason}`
    throw new BusError('Disconnected', text, { data: { delivered: 'no' } })
  }

  /** Resolves once the server has listed its tools. @throws {BusError} LoadFailed; LauncherUnavailable and others of `startProgram` */
  async start(): Promise<void> {
    const { name, startTimeout, onTools } = this.#options
    const transport = new ProgramTransport(this.#options.transport)
    this.#starting = transport
    const client = this.#createClient()
    const late = `it did not list its tools within ${startTimeout} ms`
    const deadline = setTimeout(() => void transport.close(late), startTimeout)
    try {
      await client.connect(transport, { timeout: startTimeout })
      onTools(await listTools(client, startTimeout))
    } catch (error) {
      // The error of a call says less than the reason for which the program has ended.
      const { hasReason } = transport
      await transport.close()
      // Errors of `startProgram` name the option, or the remedy.
      if (error instanceof BusError) throw error
      const why = hasReason ? await transport.ended : (error as Error).message
      // For the host alone: the reason of a restart reaches frontends.
      const cause = transport.lastText ? new Error(`it wrote: ${transport.lastText.trim()}`) : error
      throw new BusError('LoadFailed', `The MCP server ${JSON.stringify(name)} did not start: ${why}`, { cause })
    } finally {
      clearTimeout(deadline)
      this.#starting = undefined
    }
    if (this.#isClosed) return transport.close()
    this.#running = { client, transport }
    void transport.ended.then(reason => this.#onEnd(reason))
  }

  /** Ends the server for good. Resolves once nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#reason = 'it was closed'
    clearTimeout(this.#timer)
    await this.#starting?.close(this.#reason)
    await this.#running?.transport.close()
  }

  #createClient(): Client {
    const { name, startTimeout, onTools } = this.#options
    const onChanged = (error: Error | null): void => {
      if (error || this.#running?.client !== client) return
      listTools(client, startTimeout)
        .then(onTools)
        .catch(() => {
          // It has ended, or lists no tools: those that were accepted stay.
        })
    }
    const client: Client = new Client(
      { name: `sallyport-${name}`, version: '0' },
      {
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(PROBE_TIMEOUT_MS, startTimeout) } },
        listChanged: { tools: { autoRefresh: false, onChanged } },
      },
    )
    client.onerror = () => {
      // Calls reject by themselves, and the transport bounds all else.
    }
    return client
  }

  #onEnd(reason: string): void {
    this.#running = undefined
    if (this.#isClosed) return
    const delay = this.#restarts.next()
    this.#reason = reason
    if (delay === undefined) return this.#options.events.emit('failed', { reason })
    this.#options.events.emit('restart', { reason, delay })
    const restart = (): void => void this.start().catch((error: Error) => this.#onEnd(error.message))
    this.#timer = setTimeout(restart, delay)
  }
}

/** Not with `client.listTools`, which collects all pages before it returns, and compiles the schemas of the server into functions of the host. */
async function listTools(client: Client, timeout: number): Promise<readonly Tool[]> {
  if (!client.getServerCapabilities()?.tools) return []
  const tools: Tool[] = []
  let characters = 0
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const listed = await client.request({ method: 'tools/list', params }, { timeout })
    if (tools.length + listed.tools.length > MAX_TOOLS) throw new Error(`it has more than ${MAX_TOOLS} tools`)
    tools.push(...listed.tools)
    characters += JSON.stringify(listed.tools).length
    if (characters > MAX_CHARACTERS) throw new Error(`it describes its tools in more than ${MAX_CHARACTERS} characters`)
    cursor = listed.nextCursor
    if (cursor === undefined) return tools
  }
  throw new Error(`it lists its tools in more than ${MAX_PAGES} pages`)
}
