// A server that is a plugin of a bus, from its first start to its end:
//
// 1. name       an empty plugin takes it, before anything starts
// 2. start      the server starts, and lists its tools
// 3. pin        tools of the first start are accepted; later ones are compared with the accepted ones
// 4. commands   accepted tools of `tools` become the plugin's commands, again after each `accept`
// 5. end        by `close`, the end of the plugin, or the end of the bus
import type { Tool } from '@modelcontextprotocol/client'
import { type AddedPlugin, type Bus, BusError } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { withoutContext } from '@sallyport/protocol/internal/util'
import { checkValue } from '../shared/checks.js'
import { listNames, type Unserved, warnOfUnserved } from '../shared/tools.js'
import { matches } from './list-tools.js'
import type { McpServerEvents, ToolChange } from './options.js'
import { ServerLife, type ServerLifeOptions } from './server-life.js'
import { createToolPlugin, findUnserved } from './tool-commands.js'
import type { ToolPin } from './tool-pin.js'

/** A server of others that is a plugin of a bus. */
export interface McpServer {
  /** Name of the plugin. */
  readonly name: string
  /** What differs from the tools that were accepted, and which of these are no commands. `added` and `changed` tools are refused. */
  readonly changes: readonly ToolChange[]
  /**
   * Accepts changes that were shown to a person, and writes them to the pin: nothing else is accepted than what they read.
   *
   * @param accepted - these, or names of tools, whatever the server offers by then. @default `changes` as it was read last, or as `changed` told first
   * @throws {BusError} InvalidRequest if the server offers something else meanwhile; InvalidParams for an unknown name
   */
  accept(accepted?: readonly (string | ToolChange)[]): Promise<void>
  /** Listens to events of the server. Returns an unsubscribe function. */
  on<Name extends keyof McpServerEvents>(name: Name, listener: (event: McpServerEvents[Name]) => void): () => void
  /** Removes the plugin and ends the server, with all that it has started. The end of the bus does the same. */
  close(): Promise<void>
  /** Calls `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface OpenedServerOptions extends Omit<ServerLifeOptions, 'onTools'> {
  readonly bus: Bus
  /** Names of the tools that become commands, with `*`. @default all */
  readonly globs: readonly string[] | undefined
  readonly timeout: number
  readonly pin: ToolPin
  readonly hasHttp: boolean
}

export class OpenedServer implements McpServer {
  readonly name: string
  readonly #options: OpenedServerOptions
  readonly #server: ServerLife
  #current: readonly Tool[] = []
  #changes: readonly ToolChange[] = []
  /** What a person can have read. */
  #shown: readonly ToolChange[] | undefined
  #unserved: Unserved = new Map()
  #isReplacing = false
  #hasPlugin = false
  /** Changes of the plugin follow each other. */
  #changing = Promise.resolve()

  constructor(options: OpenedServerOptions) {
    const { name, startTimeout, restarts, events, createTransport, pin } = options
    this.name = name
    this.#options = options
    const onTools = (tools: readonly Tool[]): void => {
      this.#current = tools.map(toRead)
      // Before the first start nothing was accepted, and nothing can have changed.
      if (pin.tools) this.#compare()
    }
    this.#server = new ServerLife({ name, startTimeout, restarts, events, createTransport, onTools })
  }

  /** @throws what `openMcp` throws, after everything has been taken back */
  async open(): Promise<void> {
    const { pin } = this.#options
    await this.#add({ name: this.name, commands: {} })
    try {
      await withoutContext(() => this.#server.start())
      if (!pin.tools) await pin.begin(this.#current)
      await this.#replaceTools()
    } catch (error) {
      await this.#close()
      throw error
    }
    this.#warnOfUnmatched()
  }

  get changes(): readonly ToolChange[] {
    return (this.#shown = this.#changes)
  }

  accept(accepted: readonly (string | ToolChange)[] = this.#shown ?? this.#changes): Promise<void> {
    return this.#change(async () => {
      const names = accepted.flatMap(each => this.#toAccepted(each))
      await this.#options.pin.accept(this.#current, names)
      this.#shown = undefined
      await this.#replaceTools()
    })
  }

  /** Returns no name for what cannot be served: its texts were not shown, and it could take the place of another tool once that is gone. */
  #toAccepted(accepted: string | ToolChange): string[] {
    if (typeof accepted === 'string') {
      const changes = this.#changes.filter(({ tool }) => tool === accepted)
      const { reason } = changes.find(({ change }) => change === 'unserved') ?? {}
      const isShown = reason === undefined || changes.length > 1
      const place = `accept: ${listNames([accepted])}`
      checkValue(place, this.#isServed(accepted), 'a tool that "tools" names: `changes` has no other')
      checkValue(place, isShown, `a tool that can be served: ${reason}`)
      return [accepted]
    }
    const { tool, change, offered } = accepted
    if (change === 'unserved') return []
    const now = this.#changes.find(each => each.tool === tool && each.change === change)
    if (now && now.offered === offered) return [tool]
    const text = `accept: the server offers another ${listNames([tool])} now. Show \`changes\` again`
    throw new BusError('InvalidRequest', text)
  }

  on<Name extends keyof McpServerEvents>(name: Name, listener: (event: McpServerEvents[Name]) => void): () => void {
    return this.#options.events.on(name, listener)
  }

  close(): Promise<void> {
    return this.#change(() => this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #change(run: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(run)
    this.#changing = done.catch(() => {})
    return done
  }

  async #close(): Promise<void> {
    await this.#server.close()
    if (!this.#hasPlugin) return
    this.#hasPlugin = false
    await this.#options.bus.removePlugin(this.name).catch(ignoreClosedBus)
  }

  #isServed(tool: string): boolean {
    return this.#options.globs?.some(glob => matches(glob, tool)) ?? true
  }

  #getAccepted(): readonly Tool[] {
    return (this.#options.pin.tools ?? []).filter(tool => this.#isServed(tool.name))
  }

  #compare(): void {
    const { pin, hasHttp } = this.#options
    const differences = pin.compare(this.#current).filter(({ tool }) => this.#isServed(tool))
    // A new tool does not take the place of an accepted one, and a person learns that before.
    const added = new Set(differences.filter(({ change }) => change === 'added').map(({ tool }) => tool))
    const offered = added.size > 0 ? this.#current.filter(({ name }) => added.has(name)) : []
    const refused = findUnserved(this.name, [...this.#getAccepted(), ...offered], hasHttp)
    const unserved = new Map([...refused].filter(([tool]) => added.has(tool) || this.#unserved.has(tool)))
    const acceptable = differences.filter(({ tool, change }) => change !== 'added' || !unserved.has(tool))
    const next = [...acceptable, ...Array.from(unserved, toChange)]
    const isSame = JSON.stringify(next) === JSON.stringify(this.#changes)
    this.#changes = next
    if (isSame || next.length === 0) return
    this.#shown ??= next
    this.#options.events.emit('changed', { changes: next })
  }

  readonly #getRefusal = (tool: string): string | undefined => {
    const change = this.#changes.find(each => each.tool === tool)?.change
    return change && `it was ${change} since the host accepted it`
  }

  async #add(plugin: AddedPlugin): Promise<void> {
    const teardown = (): void | Promise<void> => (this.#isReplacing ? undefined : this.#server.close())
    await this.#options.bus.addPlugin({ ...plugin, teardown })
    this.#hasPlugin = true
  }

  /** Adds what the host has accepted, after `compare` has told of what cannot be added. */
  async #replaceTools(): Promise<void> {
    const { bus, timeout, hasHttp } = this.#options
    const { name } = this
    this.#isReplacing = true
    try {
      await bus.removePlugin(name)
      this.#hasPlugin = false
      const accepted = this.#getAccepted()
      const unserved = findUnserved(name, accepted, hasHttp)
      this.#unserved = unserved
      this.#compare()
      const remedy = 'Leave them out of `tools`, or have them renamed'
      warnOfUnserved(bus, `Tools of the MCP server ${JSON.stringify(name)}`, unserved, `${remedy}.`)
      const tools = accepted.filter(tool => !unserved.has(tool.name))
      const [server, getRefusal, log] = [this.#server, this.#getRefusal, getLog(bus)]
      await this.#add(createToolPlugin({ name, tools, timeout, getRefusal, server, log }))
    } catch (error) {
      // The bus has ended meanwhile, and had no plugin that it could end.
      if (!this.#hasPlugin) await this.#server.close()
      throw error
    } finally {
      this.#isReplacing = false
    }
  }

  #warnOfUnmatched(): void {
    const { globs = [], bus } = this.#options
    const unmatched = globs.filter(glob => !this.#current.some(tool => matches(glob, tool.name)))
    if (unmatched.length === 0) return
    const names = listNames(this.#current.map(tool => tool.name)) || 'none'
    const text = `No tool of the MCP server "${this.name}" matched ${listNames(unmatched)} of "tools". It has ${names}.`
    getLog(bus).warn(text)
  }
}

/** What a command has of a tool, for a model and for its arguments. The rest of it goes nowhere, and can change. */
const MEMBERS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

const toRead = (tool: Tool): Tool => {
  const { name, inputSchema } = tool
  const read = MEMBERS.flatMap(member => (tool[member] === undefined ? [] : [[member, tool[member]]]))
  return { name, inputSchema, ...Object.fromEntries(read) }
}

const toChange = ([tool, reason]: [string, string]): ToolChange => ({ tool, change: 'unserved', reason })

/** A bus that has ended has no plugins. */
function ignoreClosedBus(error: unknown): void {
  if (!(error instanceof BusError) || error.reason !== 'Disconnected') throw error
}
