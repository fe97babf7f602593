// The tools of a label as they are now. Core decides about each call again: a list that is out of date gives no right.
import { ProtocolError, ProtocolErrorCode, type Tool } from '@modelcontextprotocol/server'
import type { Bus, Client } from '@sallyport/core'
import { getLog, getQuestions } from '@sallyport/core/internal'
import { loadOnce } from '@sallyport/protocol/internal/util'
import { warnOfUnserved } from '../shared/tools.js'
import { getTools, type ServedTool } from './tools.js'

export class LabelTools {
  readonly #bus: Bus
  readonly #client: Client
  readonly #label: string
  readonly #warned = new Set<string>()
  /** Whether a client of another process can bring back what it has answered here. */
  #canReplay: boolean
  load: () => Promise<ReadonlyMap<string, ServedTool>>

  constructor(bus: Bus, client: Client, label: string, hasHttp: boolean) {
    this.#bus = bus
    this.#client = client
    this.#label = label
    this.#canReplay = hasHttp && getQuestions(bus).canClaimAgain
    this.load = loadOnce(() => this.#read())
    // The host learns now what is wrong with them, and not with the first client.
    this.load().catch(() => {})
  }

  /** Reads the tools again, when somebody asks for them. */
  refresh(): void {
    this.load = loadOnce(() => this.#read())
  }

  async list(): Promise<Tool[]> {
    return Array.from((await this.load()).values(), ({ tool }) => tool)
  }

  /** @throws {ProtocolError} InvalidParams for a name of no tool of the label */
  async find(name: string): Promise<ServedTool> {
    const served = (await this.load()).get(name)
    if (served) return served
    await this.#denyCall(name).catch(() => {})
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`)
  }

  async #read(): Promise<ReadonlyMap<string, ServedTool>> {
    const { tools, unserved } = getTools(await this.#bus.describe(this.#label))
    const others = new Map([...unserved].filter(([command]) => !this.#warned.has(command)))
    for (const command of others.keys()) this.#warned.add(command)
    warnOfUnserved(this.#bus, `Commands of the label ${JSON.stringify(this.#label)}`, others, 'Rename them.')
    if (this.#canReplay && [...tools.values()].some(({ asks }) => asks)) {
      this.#canReplay = false
      const why = 'the bus has no "runs.claim", and its memory ends with this process'
      const remedy = 'Pass createBus({ runs: { claim } }) a function with a store that all hosts share'
      getLog(this.#bus).warn(`Answers of users can be given twice: ${why}. ${remedy}.`)
    }
    return tools
  }

  /** Lets core report and count a call that the label may not make. Commands of core itself, which it may make, are no tools. */
  async #denyCall(name: string): Promise<void> {
    const command = name.replace(/^([a-z0-9-]+)__/, 'plugin:$1|')
    const isAllowed = async (rights: object): Promise<boolean> =>
      (await this.#bus.describe(this.#label, rights)).some(each => each.command === command)
    if ((await isAllowed({ allow: [command] })) && !(await isAllowed({}))) await this.#client.invoke(command)
  }
}
