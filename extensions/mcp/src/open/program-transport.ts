// The standard streams of a server as a transport of the SDK. A server that writes too much, or what is no message, is ended.
import { type JSONRPCMessage, parseJSONRPCMessage, serializeMessage } from '@modelcontextprotocol/client'
import { deadline } from '@sallyport/protocol/internal/contract'
import { createDeferred, onNextTick, toPlainText } from '@sallyport/protocol/internal/util'
import { describeThrown } from '@sallyport/protocol/internal/errors'
import { type Program, type ProgramOptions, startProgram } from '@sallyport/core/launchers'
import { LineReader, parseMessages, UnrequestedCount } from './messages.js'
import type { RequestLost, ServerTransport } from './server-transport.js'

const NO_FILE = /ENOENT|EACCES|MODULE_NOT_FOUND|cannot find|no such file|can't open|permission denied/i
const MAX_QUOTED = 200
/** Bytes that are written at once. A server that takes them runs, however long a message is. */
const PIECE_BYTES = 2 ** 16
const UNREAD = 'it does not read what it is sent'
/** JSON-RPC's "Internal error". */
const INVALID_ANSWER = -32603

export interface ProgramTransportOptions {
  readonly program: ProgramOptions
  readonly maxMessage: number
  /** Milliseconds in which the server takes a part of what it is sent. */
  readonly timeout: number
  readonly onStderr: ((text: string) => void) | undefined
}

interface Outgoing {
  readonly message: JSONRPCMessage
  /** Called once the message is written, or never will be. */
  readonly resolve: () => void
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
  /** What waits until the server takes it. The first is being written. */
  readonly #outgoing: Outgoing[] = []
  #isWriting = false
  #stopWaiting = (): void => {}
  /** Bytes of answers to the server that it has not taken. */
  #untaken = 0
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
      for (const { resolve } of this.#outgoing.splice(0)) resolve()
      this.#stopWaiting()
      this.#setEnded(this.#violation ?? (exceeded === undefined ? how : `it ${exceeded}`))
      this.onclose?.()
    })
    if (this.isClosed) program.kill()
  }

  /** Resolves once the message is written, its request is cancelled, or the server has ended. */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#program?.stdin
    if (this.isClosed || !stdin?.writable) {
      this.#endForInput()
      throw new Error(await this.ended)
    }
    if (this.#dropCancelled(message)) return
    // The SDK answers each ping, and does not wait for its answers.
    const length = 'method' in message ? 0 : serializeMessage(message).length
    this.#untaken += length
    if (this.#untaken > 2 * this.#options.maxMessage) this.#fail(UNREAD)
    const { promise, resolve } = createDeferred<void>()
    this.#outgoing.push({ message, resolve })
    if (!this.#isWriting) void this.#write(stdin)
    await promise
    this.#untaken -= length
  }

  #endForInput(): void {
    // Or it ends at this moment.
    this.#hasClosedInput = true
    this.#program?.kill()
  }

  /** Returns true for the cancellation of a request that was not written yet. Neither is: its caller waits no longer. */
  #dropCancelled(message: JSONRPCMessage): boolean {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return false
    const isCancelled = ({ message: each }: Outgoing): boolean =>
      'method' in each && 'id' in each && each.id === message.params?.['requestId']
    const at = this.#outgoing.findIndex((each, index) => index > 0 && isCancelled(each))
    if (at < 0) return false
    this.#outgoing.splice(at, 1)[0]!.resolve()
    return true
  }

  /** Calls wait for each other here, and the calls of one caller cannot end the server of all. */
  async #write(stdin: Program['stdin']): Promise<void> {
    this.#isWriting = true
    for (let [next] = this.#outgoing; next && !this.isClosed; [next] = this.#outgoing) {
      if (!stdin.writable) return this.#endForInput()
      const { message, resolve } = next
      if ('id' in message && 'method' in message) this.#requests.add(message.id)
      await this.#writePieces(stdin, Buffer.from(serializeMessage(message)))
      if (this.#outgoing[0] === next) this.#outgoing.shift()
      resolve()
    }
    this.#isWriting = false
  }

  async #writePieces(stdin: Program['stdin'], bytes: Buffer): Promise<void> {
    for (let start = 0; start < bytes.length && !this.isClosed; start += PIECE_BYTES) {
      const { promise, resolve } = createDeferred<void>()
      this.#stopWaiting = resolve
      if (stdin.write(bytes.subarray(start, start + PIECE_BYTES), () => resolve())) continue
      const endDeadline = deadline(this.#options.timeout, () => this.#fail(UNREAD))
      await promise.finally(endDeadline)
    }
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
