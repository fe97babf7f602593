// The tools that the host has accepted, in a file. What a model reads of a tool must not change behind the host's back.
import { randomUUID } from 'node:crypto'
import type { PathLike } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Tool } from '@modelcontextprotocol/client'
import { BusError } from '@sallyport/core'
import { checkValue } from '../shared/check-names.js'
import type { ToolChange } from './events.js'

/** What was accepted of a tool: all that a model gets to read, and what decides about its arguments. */
export type PinnedTool = Pick<Tool, 'name' | 'title' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations'>

const MEMBERS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

type PinFile = { version: 1; servers: Record<string, PinnedTool[]> }

/** Changes of files follow each other, also of several servers. */
let writing: Promise<unknown> = Promise.resolve()

export class ToolPin {
  readonly #server: string
  readonly #path: string | undefined
  #tools: readonly PinnedTool[] | undefined

  private constructor(server: string, path: string | undefined, tools: readonly PinnedTool[] | undefined) {
    this.#server = server
    this.#path = path
    this.#tools = tools
  }

  /** @throws {BusError} InvalidParams for a file that is none of these */
  static async read(server: string, pin: PathLike | undefined): Promise<ToolPin> {
    const path = pin instanceof URL ? fileURLToPath(pin) : pin?.toString()
    const { servers } = path === undefined ? createEmpty() : await readPinFile(path)
    return new ToolPin(server, path, Object.hasOwn(servers, server) ? servers[server] : undefined)
  }

  /** The accepted tools. `undefined` before the first start of the server. */
  get tools(): readonly PinnedTool[] | undefined {
    return this.#tools
  }

  /** Compares the tools that a server has now with those that were accepted. */
  compare(tools: readonly Tool[]): ToolChange[] {
    const accepted = new Map((this.#tools ?? []).map(tool => [tool.name, serialize(tool)]))
    const current = new Map(tools.map(tool => [tool.name, serialize(tool)]))
    const changes = [...current].flatMap(([tool, text]): ToolChange[] => {
      if (!accepted.has(tool)) return [{ tool, change: 'added' }]
      return accepted.get(tool) === text ? [] : [{ tool, change: 'changed' }]
    })
    const removed = [...accepted.keys()].filter(tool => !current.has(tool))
    return [...changes, ...removed.map((tool): ToolChange => ({ tool, change: 'removed' }))]
  }

  /** Accepts the tools that a server has now, or some of them. Others stay. @throws {BusError} InvalidParams for an unknown name */
  async accept(tools: readonly Tool[], names?: readonly string[]): Promise<void> {
    const known = new Set([...(this.#tools ?? []), ...tools].map(({ name }) => name))
    for (const name of names ?? []) checkValue(`accept: ${name}`, known.has(name), `one of ${[...known].join(', ')}`)
    const isChosen = ({ name }: PinnedTool): boolean => names?.includes(name) ?? true
    const kept = (this.#tools ?? []).filter(tool => !isChosen(tool))
    const next = [...kept, ...tools.filter(isChosen).map(toPinned)].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (this.#path !== undefined) await this.#write(this.#path, next)
    this.#tools = next
  }

  async #write(path: string, tools: PinnedTool[]): Promise<void> {
    const write = async (): Promise<void> => {
      const file = await readPinFile(path)
      file.servers[this.#server] = tools
      // Never half of a file.
      const temporary = `${path}.${randomUUID()}`
      await writeFile(temporary, `${JSON.stringify(file, undefined, 2)}\n`)
      await rename(temporary, path)
    }
    const done = writing.then(write)
    writing = done.catch(() => {})
    await done
  }
}

const createEmpty = (): PinFile => ({ version: 1, servers: {} })

async function readPinFile(path: string): Promise<PinFile> {
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as PinFile
    if (file.version === 1 && Object.values(file.servers).every(isToolList)) return file
    throw new Error('it has another form')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return createEmpty()
    throw new BusError('InvalidParams', `openMcp: pin: ${path} cannot be read as a file of accepted tools`, { cause })
  }
}

const isToolList = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.every(tool => typeof (tool as PinnedTool | null)?.name === 'string')

const toPinned = (tool: Tool): PinnedTool =>
  Object.fromEntries(MEMBERS.flatMap(name => (tool[name] === undefined ? [] : [[name, tool[name]]]))) as PinnedTool

/** The order of members means nothing. */
const serialize = (tool: PinnedTool): string => JSON.stringify(sortMembers(toPinned(tool as Tool)))

function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, member]) => [name, sortMembers(member)]))
}
