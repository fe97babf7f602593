// The tools that the host has accepted, in a file, with all of what passes on to a model. None of it must change behind the host's back.
import { existsSync, type PathLike } from 'node:fs'
import { SharedText } from '@sallyport/core/internal'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Tool } from '@modelcontextprotocol/client'
import { BusError } from '@sallyport/core'
import { escapeHidden, parseJson, toPlainText } from '@sallyport/protocol/internal/util'
import { checkValue, isBelow } from '../shared/checks.js'
import type { ToolChange } from './options.js'

type Servers = Record<string, Tool[]>

export class ToolPin {
  readonly #server: string
  readonly #text: SharedText
  readonly #path: string | undefined
  /** The accepted tools. `undefined` before the first start of the server. */
  tools: readonly Tool[] | undefined

  private constructor(server: string, path: string | undefined) {
    this.#server = server
    this.#path = path
    this.#text = new SharedText(path, 0o644)
  }

  /** @throws {BusError} InvalidParams for a file that cannot be read, or has another form */
  static async read(server: string, pin: PathLike | undefined): Promise<ToolPin> {
    const path = pin instanceof URL ? fileURLToPath(pin) : pin?.toString()
    const directory = dirname(path ?? '')
    checkValue('openMcp: pin', existsSync(directory), `a file in a directory that exists: create ${directory}`)
    const read = new ToolPin(server, path)
    await read.#load()
    return read
  }

  /** Returns true if one of these directories has the file, or what it is a link to. */
  isBelow(directories: readonly (string | URL)[]): boolean {
    const paths = directories.map(each => (each instanceof URL ? fileURLToPath(each) : each))
    return this.#path !== undefined && isBelow(paths, this.#path)
  }

  compare(tools: readonly Tool[]): ToolChange[] {
    const accepted = new Map((this.tools ?? []).map(tool => [tool.name, tool]))
    const current = new Map(tools.map(tool => [tool.name, tool]))
    const changes = [...current].flatMap(([name, tool]): ToolChange[] => {
      const before = accepted.get(name)
      if (!before) return [{ tool: name, change: 'added', offered: describeTool(tool) }]
      if (isSame(before, tool)) return []
      return [{ tool: name, change: 'changed', accepted: describeTool(before), offered: describeTool(tool) }]
    })
    const removed = [...accepted].filter(([name]) => !current.has(name))
    return [
      ...changes,
      ...removed.map(([tool, before]): ToolChange => ({ tool, change: 'removed', accepted: describeTool(before) })),
    ]
  }

  /** Returns true if a tool is as it was accepted. */
  accepts(tool: Tool): boolean {
    const accepted = this.tools?.find(({ name }) => name === tool.name)
    return accepted !== undefined && isSame(accepted, tool)
  }

  /** Accepts the tools of a first start, unless another program has accepted some in the meantime. */
  async begin(tools: readonly Tool[]): Promise<void> {
    await this.#change(accepted => accepted ?? tools.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
  }

  /** Accepts the tools that a server has now, or some of them. Others stay. @throws {BusError} InvalidParams for an unknown name */
  async accept(tools: readonly Tool[], names?: readonly string[]): Promise<void> {
    await this.#change((accepted = []) => {
      const known = new Set([...accepted, ...tools].map(({ name }) => name))
      for (const name of names ?? [])
        checkValue(`accept: ${name}`, known.has(name), `one of ${toPlainText([...known].join(', '))}`)
      const isChosen = ({ name }: Tool): boolean => names?.includes(name) ?? true
      const chosen = new Map(tools.filter(isChosen).map(tool => [tool.name, tool]))
      // What was accepted first comes first: of two that share a permission, it is the one that is served.
      const kept = accepted.flatMap(tool => (isChosen(tool) ? (chosen.get(tool.name) ?? []) : tool))
      for (const { name } of accepted) chosen.delete(name)
      return [...kept, ...chosen.values()]
    })
  }

  /** @param change - gets what the file has now, which another program can have written */
  async #change(change: (accepted: Tool[] | undefined) => Tool[]): Promise<void> {
    await this.#text.change(text => {
      const { servers, ...others } = this.#parse(text)
      servers[this.#server] = change(servers[this.#server])
      return `${JSON.stringify({ ...others, servers }, undefined, 2)}\n`
    })
    await this.#load()
  }

  async #load(): Promise<void> {
    const text = await this.#text.read().catch(this.#refuse)
    this.tools = this.#parse(text).servers[this.#server]
  }

  #parse(text = '{"version":1,"servers":{}}'): { readonly servers: Servers } {
    try {
      const content = parseJson(text) as { version: number; servers: Servers }
      const { version, servers } = content
      if (version !== 1 || !Object.values(servers).every(isToolList)) throw new Error('it has another form')
      return { ...content, servers: Object.assign(Object.create(null), servers) }
    } catch (cause) {
      return this.#refuse(cause)
    }
  }

  readonly #refuse = (cause: unknown): never => {
    const text = `openMcp: pin: ${this.#path} cannot be read as a file of accepted tools: ${(cause as Error).message}`
    throw new BusError('InvalidParams', text, { cause })
  }
}

const isToolList = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.every(tool => typeof (tool as Tool | null)?.name === 'string')

/** For a person. */
const describeTool = (tool: Tool): string => JSON.stringify(tool, undefined, 2).split('\n').map(escapeHidden).join('\n')

/** The order of members means nothing. A list that has not changed costs its text alone. */
const isSame = (accepted: Tool, tool: Tool): boolean =>
  JSON.stringify(accepted) === JSON.stringify(tool) || isDeepStrictEqual(toPlain(accepted), toPlain(tool))

/** A tool as a file returns it, where -0 is 0. */
const toPlain = (tool: Tool): unknown => JSON.parse(JSON.stringify(tool))
