// What a person has accepted of a wrapped server, in a file that several can share: its package with all that this depends on, its instructions and its
// tools. The first start accepts what it finds; what differs later is refused, and shown.
import { isDeepStrictEqual } from 'node:util'
import type { Tool } from '@modelcontextprotocol/client'
import { BusError } from '@sallyport/core'
import { SharedText } from '@sallyport/core/internal'
import { escapeHidden, isObject, parseJson } from '@sallyport/protocol/internal/util'
import { ToolPin } from '../open/tool-pin.js'
import { matches } from '../open/list-tools.js'

/** A package-lock.json of npm. */
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  /** Of one that no registry has. */
  readonly resolved?: string
  readonly bin?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
}

/** What is accepted of a server, beside its tools. */
export interface Accepted {
  /** What the command asks npm for. */
  readonly spec?: string
  readonly lock?: PackageLock
  readonly instructions?: string
}

export interface ApprovalOptions {
  /** Name of the server in the file. */
  readonly name: string
  readonly file: string
  /** True to accept what differs. */
  readonly accepts: boolean
  /** Names of the tools that pass, with `*`. @default all */
  readonly globs: readonly string[] | undefined
  readonly tell: (text: string) => void
}

const REMEDY = 'To accept it, put --accept behind "wrap" in the same command line, and run that in a terminal.'
const VERSION = 1

export class Approval {
  readonly #options: ApprovalOptions
  readonly #text: SharedText
  readonly #pin: ToolPin
  accepted: Accepted
  #differences = new Map<string, string>()

  private constructor(options: ApprovalOptions, text: SharedText, pin: ToolPin, accepted: Accepted) {
    this.#options = options
    this.#text = text
    this.#pin = pin
    this.accepted = accepted
  }

  /** @throws {BusError} InvalidParams for a file that cannot be read, or has another form */
  static async read(options: ApprovalOptions): Promise<Approval> {
    const { name, file } = options
    const pin = await ToolPin.read(name, file)
    const text = new SharedText(file, 0o644)
    const accepted = readWrapped(await text.read())[name] ?? {}
    if (isAccepted(accepted)) return new Approval(options, text, pin, accepted)
    const place = `"wrapped" of ${JSON.stringify(name)}`
    throw new BusError('InvalidParams', `${file} cannot be read: ${place} has another form. Remove it to accept anew.`)
  }

  /** Writes the package of the first start, or one that is accepted. @throws {Error} for another package than the accepted one */
  async reviewPackage(spec: string, lock: PackageLock): Promise<void> {
    const { spec: before = '', lock: accepted } = this.accepted
    if (accepted) {
      const difference = describeDifference([before, ...toVersions(accepted)], [spec, ...toVersions(lock)])
      if (difference === '') return
      if (!this.#options.accepts)
        throw new Error(`The package differs from the accepted one.\n${difference}\n${REMEDY}`)
      this.#options.tell(`The package was accepted:\n${difference}`)
    }
    await this.#write({ spec, lock })
  }

  /** Compares what a model reads with what was accepted. */
  async review(tools: readonly Tool[], given: unknown): Promise<void> {
    const { accepts, tell } = this.#options
    const instructions = typeof given === 'string' ? given : ''
    const isFirst = this.#pin.tools === undefined
    if (isFirst) await this.#pin.begin(tools)
    if (isFirst || this.accepted.instructions === undefined) await this.#write({ instructions })
    const before = this.#differences
    this.#differences = this.#compare(tools, instructions)
    const found = [...this.#differences.values()].filter(text => ![...before.values()].includes(text))
    if (found.length > 0) tell([...found, accepts ? 'This was accepted.' : REMEDY].join('\n'))
    if (!accepts) return
    await this.#pin.accept(tools)
    await this.#write({ instructions })
    this.#differences.clear()
  }

  accepts(tool: Tool): boolean {
    return this.#isOpen(tool.name) && this.#pin.accepts(tool)
  }

  acceptsInstructions(instructions: unknown): boolean {
    const { accepted } = this
    return this.#options.accepts || [undefined, instructions].includes(accepted.instructions)
  }

  /** Returns why a tool cannot be called. */
  getRefusal(tool: unknown): string | undefined {
    const subject = `tool ${JSON.stringify(tool)}`
    if (typeof tool !== 'string') return `There is no ${subject}`
    if (!this.#isOpen(tool)) return `The ${subject} is not among those of --tool`
    if (this.#differences.has(tool)) return `The ${subject} is not as a person has accepted it`
    return this.#pin.tools?.some(({ name }) => name === tool) ? undefined : `There is no ${subject}`
  }

  #isOpen(tool: string): boolean {
    return this.#options.globs?.some(glob => matches(glob, tool)) ?? true
  }

  #compare(tools: readonly Tool[], instructions: string): Map<string, string> {
    const accepted = new Map(this.#pin.tools!.map(tool => [tool.name, tool]))
    const current = new Map(tools.map(tool => [tool.name, tool]))
    const changes = this.#pin.compare(tools).filter(({ tool }) => this.#isOpen(tool))
    const found = changes.map(({ tool, change }): [string, string] => {
      const difference = describeDifference(toLines(accepted.get(tool)), toLines(current.get(tool)))
      return [tool, `The tool ${JSON.stringify(tool)} was ${change}:\n${difference}`]
    })
    const { instructions: before = '' } = this.accepted
    if (before === instructions) return new Map(found)
    const difference = describeDifference(before.split('\n'), instructions.split('\n'))
    // No tool has this name.
    return new Map([...found, ['', `The instructions were changed:\n${difference}`]])
  }

  async #write(accepted: Accepted): Promise<void> {
    const { name } = this.#options
    this.accepted = { ...this.accepted, ...accepted }
    await this.#text.change(text => {
      const content = text === undefined ? { version: VERSION, servers: {} } : parseJson(text)
      const wrapped = { ...readWrapped(text), [name]: this.accepted }
      return `${JSON.stringify({ ...Object(content), wrapped }, undefined, 2)}\n`
    })
  }
}

const readWrapped = (text: string | undefined): Record<string, unknown> => {
  const { wrapped } = Object(parseJson(text ?? '{}'))
  return Object.assign(Object.create(null), isObject(wrapped) ? wrapped : {})
}

function isAccepted(value: unknown): value is Accepted {
  if (!isObject(value)) return false
  const { spec, lock, instructions } = value as Record<keyof Accepted, unknown>
  const packages: unknown = Object(lock).packages
  const isLock = isObject(packages) && Object.values(packages).every(isObject)
  const isText = (text: unknown): boolean => text === undefined || typeof text === 'string'
  return isText(spec) && isText(instructions) && (lock === undefined ? spec === undefined : isLock)
}

/** Each package of a lock: npm checks the integrity of what it installs. */
const toVersions = ({ packages }: PackageLock): string[] =>
  Object.entries(packages).flatMap(([path, { version, integrity, resolved }]) =>
    path === '' ? [] : [[path, version, integrity, resolved].filter(Boolean).join(' ')],
  )

/** What a client gets of a tool, as lines for a person. */
const toLines = (tool: Tool | undefined): string[] =>
  Object.entries(tool ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([member, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)
      return text.split('\n').map(line => `${escapeHidden(member)}: ${line}`)
    })

/** A server chooses the number of the lines. */
function describeDifference(before: readonly string[], after: readonly string[]): string {
  const [was, is] = [new Set(before), new Set(after)]
  // A line that has only moved can change what the others say.
  const hasMoved = !isDeepStrictEqual(
    before.filter(line => is.has(line)),
    after.filter(line => was.has(line)),
  )
  const removed = before.filter(line => hasMoved || !is.has(line)).map(line => `- ${line}`)
  const added = after.filter(line => hasMoved || !was.has(line)).map(line => `+ ${line}`)
  return [...removed, ...added].join('\n')
}
