// The relay between a client and the server that it has started: it reads the messages of both, and passes them on, except what nobody has allowed.
//
//   client -- call of a tool, list of tools --> waits until the tools are compared with the accepted ones --> server
//   client -- other requests, notifications --> follow each other --> server
//   client <-- answers, with the tools and the instructions that were accepted -- server
//   client <-- questions, if they are allowed -- server
//
// A message is written again from what was read: a parser that takes another of two equal members would see another one.
import { randomUUID } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import type { Tool } from '@modelcontextprotocol/client'
import type { Program } from '@sallyport/process/internal/launchers'
import { countTurns, later, silence, within } from '@sallyport/protocol/internal/contract'
import { isObject } from '@sallyport/protocol/internal/util'
import { readTools, repairTools } from '../open/list-tools.js'
import { LineReader, parseMessages, UnrequestedCount } from '../open/messages.js'
import type { Approval } from './approval.js'
import { markNumbers, restoreNumbers } from './exact-numbers.js'

/** What a server can ask its client for: the name of the client's capability, by method. */
const QUESTIONS: Readonly<Record<string, string>> = {
  'roots/list': 'roots',
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
}
export const CAPABILITIES: readonly string[] = Object.values(QUESTIONS)

const MAX_SERVER_MESSAGE = 4 * 2 ** 20
const MAX_CLIENT_MESSAGE = 64 * 2 ** 20
const MAX_QUESTIONS = 1000
/** Characters of an id or a method, which are kept. */
const MAX_NAME = 1000
/** For a server that is told to end by the end of its input. The SDKs' clients wait for two seconds before they kill. */
const GRACE_MS = 1500
const SERVER_ENDED = -32000
const REFUSED = -32602
/** Of a client without `initialize`, in each request. */
const META = 'io.modelcontextprotocol/clientCapabilities'

type Fields = Record<string, unknown>
type Id = string | number
interface Message {
  readonly id?: Id | undefined
  readonly method?: string | undefined
  readonly params?: Fields | undefined
  readonly result?: Fields | undefined
  readonly error?: Fields | undefined
}

export interface RelayOptions {
  readonly input: Readable
  readonly output: Writable
  readonly program: Program
  readonly approval: Approval
  /** Capabilities of the client that the server can use. */
  readonly asks: readonly string[]
  /** Returns true for the URI of a root that the server can read. */
  readonly isRoot: (uri: unknown) => boolean
  /** Milliseconds without a message while a request is open. */
  readonly timeout: number
  /** Tells the user. */
  readonly tell: (text: string) => void
}

export class Relay {
  readonly #options: RelayOptions
  /** Open requests of the client, those of the relay itself, and those of the server. */
  readonly #calls = new Map<Id, string>()
  readonly #own = new Map<Id, (answer: Message) => void>()
  readonly #questions = new Set<Id>()
  readonly #fromClient = new LineReader(MAX_CLIENT_MESSAGE)
  readonly #fromServer = new LineReader(MAX_SERVER_MESSAGE)
  readonly #unrequested = new UnrequestedCount()
  readonly #told = new Set<string>()
  readonly #token = randomUUID()
  #passing = Promise.resolve()
  #checked: Promise<void> | undefined
  #instructions: unknown
  #received = 0
  #reason: string | undefined

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Resolves with how the server has ended, once each request has its answer. */
  async run(): Promise<{ readonly reason: string; readonly code: number }> {
    const { input, output, program, timeout } = this.#options
    program.stdin.on('error', () => {})
    output.on('error', () => this.end('its client has gone'))
    program.stdout.on('data', (chunk: Buffer) => this.#read(this.#fromServer, chunk, this.#onServerMessage))
    input.on('data', (chunk: Buffer) => this.#read(this.#fromClient, chunk, this.#onClientMessage))
    // A server can keep a list of tools from ever ending.
    input.once('close', () => void within(timeout, this.#passing).then(() => this.#endInput()))
    const isIdle = (): boolean => [...this.#calls.values()].every(isSubscription)
    const signs = { readMs: countTurns(isIdle), readSign: () => this.#received, keepsAlive: false }
    const endSilence = silence(timeout, signs, () => this.end(`it did not answer within ${timeout / 1000} s`))
    const { code, signal, exceeded } = await program.exited
    endSilence()
    const how = exceeded ?? (signal === null ? `exited with code ${code}` : `was ended by ${signal}`)
    const reason = this.#reason ?? `it ${how}`
    for (const id of this.#calls.keys()) this.#refuse(id, SERVER_ENDED, `The MCP server has ended: ${reason}`)
    // A client that reads nothing must not keep this.
    await within(GRACE_MS, new Promise(resolve => output.write('', resolve)))
    return { reason, code: code ?? 1 }
  }

  end(reason: string): void {
    this.#reason ??= reason
    this.#options.program.kill()
  }

  #endInput(): void {
    this.#options.program.stdin.end()
    later(GRACE_MS, () => this.end('its client has gone'))
  }

  #read(lines: LineReader, chunk: Buffer, handle: (message: Message, length: number) => void): void {
    if (this.#reason !== undefined) return
    try {
      for (const line of lines.read(chunk)) {
        for (const message of this.#parse(line)) if (this.#reason === undefined) handle(message, line.length)
      }
    } catch (error) {
      const whose = lines === this.#fromClient ? 'its client: ' : ''
      this.end(`${whose}${(error as RangeError).message}`)
    }
  }

  /** @throws {RangeError} for a message beyond the limits */
  #parse(line: Buffer): Message[] {
    try {
      const messages = parseMessages(markNumbers(line))
      if (messages.every(isMessage)) return messages.map(toRead)
    } catch (error) {
      if (error instanceof RangeError) throw error
    }
    // Programs that print to their standard output by mistake are common.
    if (!this.#unrequested.add(line.length)) throw new RangeError('it sent more than it was asked for')
    if (line.length > 0) this.#tellOnce(`What is no message was left out: ${line.toString('utf8', 0, 200)}`)
    return []
  }

  readonly #onClientMessage = (message: Message): void => {
    const { id, method } = message
    if (method === undefined) return this.#onAnswer(message)
    if (id !== undefined) this.#calls.set(id, method)
    this.#passing = this.#passing.then(() => this.#pass(message))
  }

  /** At once: the server can need it before it answers what others wait for. */
  #onAnswer(message: Message): void {
    const { id, result } = message
    if (id === undefined || !this.#questions.delete(id)) return
    this.#toServer(result ? { ...message, result: this.#limitRoots(result) } : message)
  }

  async #pass(message: Message): Promise<void> {
    const { id, method, params = {} } = message
    if (method === 'notifications/cancelled') this.#calls.delete(params['requestId'] as Id)
    const isCall = method === 'tools/call'
    if (isCall || method === 'tools/list') {
      try {
        await (this.#checked ??= this.#check(params))
      } catch (error) {
        this.#checked = undefined
        return this.#refuse(id, SERVER_ENDED, `The tools were not listed: ${(error as Error).message}`)
      }
      const refusal = isCall ? this.#options.approval.getRefusal(params['name']) : undefined
      if (refusal !== undefined) return this.#refuse(id, REFUSED, refusal)
    }
    this.#toServer(message.params ? { ...message, params: this.#limitClient(params) } : message)
  }

  /** Lists the tools, as a client does that has sent these parameters. */
  async #check({ _meta }: Fields): Promise<void> {
    const { progressToken: _, ...meta } = Object(_meta)
    const tools = await readTools(async cursor => {
      const params = { ...(cursor !== undefined && { cursor }), ...(_meta !== undefined && { _meta: meta }) }
      const { result, error } = await this.#ask('tools/list', this.#limitClient(params))
      if (!result) throw new Error(getErrorText(error))
      return result
    })
    await this.#options.approval.review(tools, this.#instructions)
  }

  #ask(method: string, params: Fields): Promise<Message> {
    const id = `${this.#token}-${this.#received}`
    return new Promise(resolve => {
      this.#own.set(id, resolve)
      this.#toServer({ id, method, params })
      void this.#options.program.exited.then(() => resolve({}))
    })
  }

  readonly #onServerMessage = (message: Message, length: number): void => {
    const { id, method } = message
    this.#received++
    if (method === undefined && id !== undefined && (this.#calls.has(id) || this.#own.has(id))) {
      return this.#onResult(id, message)
    }
    if (!this.#unrequested.add(length)) return this.end('it sent more than it was asked for')
    if (method === undefined) return
    if (method === 'notifications/tools/list_changed') this.#checked = undefined
    // Its client does not answer that question any more.
    if (method === 'notifications/cancelled') this.#questions.delete(message.params?.['requestId'] as Id)
    if (id === undefined) return this.#toClient(message)
    if (method !== 'ping' && !this.#isAllowed(method)) {
      this.#tellOnce(`The server asked for ${JSON.stringify(method)}, which is not allowed.`)
      return this.#toServer({ id, error: { code: -32601, message: 'The client does not answer this' } })
    }
    this.#questions.add(id)
    if (this.#questions.size > MAX_QUESTIONS) return this.end(`it asked more than ${MAX_QUESTIONS} questions at a time`)
    this.#toClient(message)
  }

  #onResult(id: Id, message: Message): void {
    const resolve = this.#own.get(id)
    this.#own.delete(id)
    if (resolve) return resolve(message)
    const method = this.#calls.get(id)
    const { result } = message
    const requests = result?.['inputRequests']
    const asked = Object.values(isObject(requests) ? requests : {}).map(each =>
      toText(Object(each).method, 'nothing that is known'),
    )
    const denied = asked.find(each => !this.#isAllowed(each))
    if (denied !== undefined) return this.#refuse(id, REFUSED, `The server asked for ${denied}, which is not allowed`)
    this.#calls.delete(id)
    if (!result) return this.#toClient(message)
    if (method === 'tools/list') return this.#toClient({ ...message, result: this.#limitTools(result) })
    if (method !== 'initialize' && method !== 'server/discover') return this.#toClient(message)
    const { instructions, ...others } = result
    this.#instructions = instructions
    const accepted = this.#options.approval.acceptsInstructions(instructions) ? { instructions } : {}
    this.#toClient({ ...message, result: { ...others, ...accepted } })
  }

  #limitTools(result: Fields): Fields {
    const { approval } = this.#options
    const listed = Array.isArray(result['tools']) ? repairTools(result['tools'] as Tool[]) : []
    const tools = listed.filter(tool => approval.accepts(tool))
    // A server that lists another tool than before is asked again before the next call.
    if (tools.length < listed.length) this.#checked = undefined
    return { ...result, tools }
  }

  /** Of what a client says of itself, the server gets what it can use. */
  #limitClient(params: Fields): Fields {
    const { capabilities, _meta, inputResponses } = params
    const limited = { ...params }
    if (isObject(capabilities)) limited['capabilities'] = this.#limitCapabilities(capabilities)
    const inRequest = Object(_meta)[META]
    if (isObject(inRequest)) limited['_meta'] = { ...Object(_meta), [META]: this.#limitCapabilities(inRequest) }
    if (isObject(inputResponses)) {
      const answers = Object.entries(inputResponses)
      limited['inputResponses'] = Object.fromEntries(
        answers.map(([key, each]) => [key, this.#limitRoots(Object(each))]),
      )
    }
    return limited
  }

  #limitCapabilities(capabilities: object): Fields {
    const { asks } = this.#options
    const isLimited = (name: string): boolean => CAPABILITIES.includes(name) && !asks.includes(name)
    const denied = Object.keys(capabilities).filter(isLimited)
    const remedy = `Add ${denied.map(name => `--ask ${name}`).join(' ')} to let it.`
    if (denied.length > 0) this.#tellOnce(`The server cannot ask its client for ${denied.join(', ')}. ${remedy}`)
    return Object.fromEntries(Object.entries(capabilities).filter(([name]) => !isLimited(name)))
  }

  #limitRoots(result: Fields): Fields {
    const { roots } = result
    if (!Array.isArray(roots)) return result
    return { ...result, roots: roots.filter(root => this.#options.isRoot(Object(root).uri)) }
  }

  #isAllowed(method: string): boolean {
    return Object.hasOwn(QUESTIONS, method) && this.#options.asks.includes(QUESTIONS[method]!)
  }

  /** Once: the end of the server answers all that is open. */
  #refuse(id: Id | undefined, code: number, message: string): void {
    if (id === undefined || !this.#calls.delete(id)) return
    this.#toClient({ id, error: { code, message } })
  }

  #toServer(message: Message): void {
    const { stdin } = this.#options.program
    // It need not read this. The input is read all the same: its end says that the client has gone.
    if (stdin.writable) stdin.write(toLine(message))
    if (stdin.writableLength > 2 * MAX_CLIENT_MESSAGE) this.end('it does not read what it is sent')
  }

  #toClient(message: Message): void {
    const { output, program } = this.#options
    if (!output.writable || output.write(toLine(message)) || program.stdout.isPaused()) return
    program.stdout.pause()
    output.once('drain', () => program.stdout.resume())
  }

  #tellOnce(text: string): void {
    if (!this.#told.has(text) && this.#told.size < MAX_QUESTIONS) this.#options.tell(text)
    this.#told.add(text)
  }
}

/** Its answer comes when the client ends it. */
const isSubscription = (method: string): boolean => method === 'subscriptions/listen'

const toLine = (message: Message): string => `${restoreNumbers(JSON.stringify({ ...message, jsonrpc: '2.0' }))}\n`

/** What a server sends need not have a text. */
const toText = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

/** @param error - of an answer */
export const getErrorText = (error: unknown): string => toText(Object(error).message, 'it gave no answer')

/** Members by which a message is judged. */
const JUDGED = new Map(['name', 'tools', 'instructions', 'inputRequests', 'method'].map(name => [fold(name), name]))

/** Clients in Go take `Tools` for `tools`, and a long s for an s. */
function fold(name: string): string {
  return name.toLowerCase().toUpperCase()
}

/** Returns what the relay has read of a message: an end that takes other spellings of a member for it must not see more. */
function toRead({ id, method, params, result, error }: Message): Message {
  return {
    ...{ id, method, error },
    params: params && withoutSpellings(params),
    result: result && withoutSpellings(result),
  }
}

function withoutSpellings(fields: Fields): Fields {
  const judged = Object.entries(fields).filter(([name]) => (JUDGED.get(fold(name)) ?? name) === name)
  return Object.fromEntries(
    judged.map(([name, value]) => [name, name === 'inputRequests' && isObject(value) ? toReadRequests(value) : value]),
  )
}

const toReadRequests = (requests: Fields): Fields =>
  Object.fromEntries(
    Object.entries(requests).map(([key, each]) => [key, isObject(each) ? withoutSpellings(each) : each]),
  )

function isMessage(value: unknown): value is Message {
  if (!isObject(value)) return false
  const { id, method, params, result, error } = value as Record<keyof Message, unknown>
  const isId = id === undefined || isName(id) || typeof id === 'number'
  const areObjects = [params, result, error].every(each => each === undefined || isObject(each))
  return isId && areObjects && (method === undefined ? id !== undefined : isName(method))
}

const isName = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_NAME
