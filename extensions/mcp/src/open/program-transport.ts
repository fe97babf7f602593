// The standard streams of a server as a transport of the SDK. A server that writes too much, or what is no message, is ended.
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  parseJSONRPCMessage,
  serializeMessage,
} from '@modelcontextprotocol/client'
import { onNextTick, toPlainText } from '@sallyport/protocol/internal/util'
import { describeThrown } from '@sallyport/protocol/internal/errors'
import { type Program, type ProgramOptions, startProgram } from '@sallyport/core/launchers'
import { LineReader, parseMessages, UnrequestedCount } from './messages.js'
import type { RequestLost, ServerTransport } from './server-transport.js'

const NO_FILE = /ENOENT|EACCES|MODULE_NOT_FOUND|cannot find|no such file|can't open|permission denied/i
const MAX_QUOTED = 200
/** JSON-RPC's "Internal error". */
const INVALID_ANSWER = -32603

export interface ProgramTransportOptions {
  readonly program: ProgramOptions
  readonly maxMessage: number
  readonly onStderr: ((text: string) => void) | undefined
}

export class ProgramTransport implements ServerTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  /** The last 1000 characters that the program wrote to its standard error. */
  #lastText = ''
  /** The start of the first line that was no message. */
  #unread: string | undefined
  /** With `pid`, these tell the SDK that no HTTP is between: a server that does not know its first question is asked in the older protocol. */
  readonly stderr = undefined
  readonly pid = undefined
  readonly #options: ProgramTransportOptions
  readonly ended: Promise<string>
  #setEnded: (reason: string) => void = () => {}
  hasReason = false
  #program: Program | undefined
  isClosed = false
  #violation: string | undefined
  #hasClosedInput = false
  readonly #lines: LineReader
  readonly #requests = new Set<unknown>()
  /** Requests that wait for room. */
  readonly #unsent = new Set<unknown>()
  /** Characters of other messages, which the server has not taken. */
  #untaken = 0
  #drained: Promise<unknown> | undefined
  readonly #unrequested = new UnrequestedCount()
  readonly #waiting: JSONRPCMessage[] = []
  #isHandling = false

  constructor(options: ProgramTransportOptions) {
    this.#options = options
    this.#lines = new LineReader(options.maxMessage)
    this.ended = new Promise(resolve => (this.#setEnded = resolve))
  }

  /** @throws what `startProgram` throws */
  async start(): Promise<void> {
    const program = await startProgram(this.#options.program)
    this.#program = program
    program.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastText = `${this.#lastText}${text}`.slice(-1000)
      this.#options.onStderr?.(text)
    })
    void program.exited.then(({ code, signal, exceeded }) => {
      this.hasReason ||= !this.isClosed
      this.isClosed = true
      const wasEnded = this.#hasClosedInput ? 'it closed its standard input' : `it was ended by ${signal}`
      const how = signal === null ? `it exited with code ${code}` : wasEnded
      for (const message of this.#waiting.splice(0)) this.#handle(message)
      this.#setEnded(this.#violation ?? (exceeded === undefined ? how : `it ${exceeded}`))
      this.onclose?.()
    })
    if (this.isClosed) program.kill()
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#program?.stdin
    if (this.isClosed || !stdin?.writable) {
      // Or it ends at this moment.
      this.#hasClosedInput = true
      this.#program?.kill()
      throw new Error(await this.ended)
    }
    if ('id' in message && 'method' in message) return this.#request(message, stdin)
    if ('method' in message && message.method === 'notifications/cancelled')
      this.#unsent.delete(message.params?.['requestId'])
    const text = serializeMessage(message)
    this.#untaken += text.length
    stdin.write(text, () => (this.#untaken -= text.length))
    // The SDK answers each ping, and does not wait for its answers.
    if (this.#untaken > this.#options.maxMessage) this.#fail('it does not read what it is sent')
  }

  /** Waits for those before it: their callers can have sent more than a pipe takes at once. Nothing is sent of one that is cancelled meanwhile. */
  async #request(message: JSONRPCRequest, stdin: Writable): Promise<void> {
    const { id } = message
    this.#unsent.add(id)
    while (!this.isClosed && stdin.writableNeedDrain && this.#unsent.has(id)) await this.#waitForRoom(stdin)
    if (!this.#unsent.delete(id)) return
    if (this.isClosed) throw new Error(await this.ended)
    this.#requests.add(id)
    if (!stdin.write(serializeMessage(message))) await this.#waitForRoom(stdin)
  }

  /** A server that reads nothing must not let a caller wait after its end. */
  #waitForRoom(stdin: Writable): Promise<unknown> {
    this.#drained ??= Promise.race([once(stdin, 'drain').catch(() => {}), this.ended]).finally(
      () => (this.#drained = undefined),
    )
    return this.#drained
  }

  async close(reason?: string): Promise<void> {
    this.isClosed = true
    this.hasReason ||= reason !== undefined
    if (!this.#program) return this.#setEnded(reason ?? 'it was closed')
    this.#violation ??= reason ?? 'it was closed'
    this.#program.kill()
    await this.ended
  }

  describeStart(): { hint: string; written: string } {
    const lacksFile = this.#program?.isWalled && NO_FILE.test(this.#lastText)
    const written = [
      ...(this.#unread === undefined ? [] : [`it wrote what is no message: ${JSON.stringify(this.#unread)}`]),
      ...(this.#lastText === '' ? [] : [`it wrote: ${this.#lastText.trim()}`]),
    ]
    const hint = lacksFile ? '. If the file exists, add its directory to "read"' : ''
    return { hint, written: toPlainText(written.join('\n')) }
  }

  /** Its streams lose nothing while it lives. */
  explain(): RequestLost | undefined {
    return undefined
  }

  #read(chunk: Buffer): void {
    if (this.isClosed) return
    try {
      for (const line of this.#lines.read(chunk)) {
        if (this.isClosed) return
        this.#readLine(line)
      }
    } catch (error) {
      this.#fail((error as RangeError).message)
    }
  }

  #readLine(line: Buffer): void {
    let messages: unknown[]
    try {
      messages = parseMessages(line)
    } catch (error) {
      if (error instanceof RangeError) return this.#fail(`it sent a message beyond the limits: ${error.message}`)
      // Servers that print to their standard output by mistake are common.
      return this.#skip(line)
    }
    for (const each of messages) this.#take(each, line)
  }

  #take(own: unknown, line: Buffer): void {
    if (this.isClosed) return
    const { id, method }: { id?: unknown; method?: unknown } = Object(own)
    const answersRequest = method === undefined && this.#requests.delete(id)
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(own)
    } catch {
      if (!answersRequest) return this.#skip(line)
      // Nobody else would tell its caller, who would wait for it until its timeout.
      const error = { code: INVALID_ANSWER, message: 'it ran, but its answer is no response of JSON-RPC' }
      message = { jsonrpc: '2.0', id: id as string | number, error }
    }
    if (!answersRequest) this.#count(line.length)
    if (this.isClosed) return
    this.#waiting.push(message)
    this.#deliver()
  }

  #skip(line: Buffer): void {
    if (line.length > 0) this.#unread ??= line.toString('utf8', 0, MAX_QUOTED)
    this.#count(line.length)
  }

  /** The SDK handles a notification a tick later, and would ignore progress whose result it has by then. */
  #deliver(): void {
    while (!this.#isHandling && this.#waiting.length > 0) {
      const message = this.#waiting.shift()!
      this.#isHandling = !('id' in message)
      this.#handle(message)
      if (!this.#isHandling) continue
      onNextTick(() => {
        this.#isHandling = false
        this.#deliver()
      })
    }
  }

  /** An error in a listener of a stream would end the host. */
  #handle(message: JSONRPCMessage): void {
    try {
      this.onmessage?.(message)
    } catch (error) {
      this.#fail(`it sent a message that could not be handled: ${describeThrown(error)}`)
    }
  }

  #count(length: number): void {
    if (!this.#unrequested.add(length)) this.#fail('it sent more than it was asked for')
  }

  #fail(violation: string): void {
    this.isClosed = this.hasReason = true
    this.#violation = violation
    this.#waiting.length = 0
    this.#program?.kill()
  }
}
