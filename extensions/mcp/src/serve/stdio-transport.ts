// Standard input and output of this process, which belong to the protocol while a service has them.
import { finished, type Readable, type Writable } from 'node:stream'
import { type JSONRPCMessage, ProtocolErrorCode, type RequestId } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { BusError } from '@sallyport/core'
import { toErrorObject } from '@sallyport/protocol/internal/errors'
import { refuseOpen } from '@sallyport/protocol/internal/rpc'
import { warn } from '@sallyport/protocol/internal/util'

let isTaken = false

export class StdioTransport extends StdioServerTransport {
  readonly #onEnd: () => void
  readonly #requests = new Set<unknown>()
  /** Questions of this process that the client has not answered. */
  readonly #asked = new Map<unknown, RequestId>()
  readonly #write: typeof process.stdout.write
  #hasInputEnded = false

  /**
   * @param onEnd - called once no request can come any more, and all are answered
   * @throws {BusError} InvalidParams if another service has them
   */
  constructor(onEnd: () => void) {
    if (isTaken) throw new BusError('InvalidParams', 'serveMcp: another service has standard input and output')
    isTaken = true
    const { stdin, stdout } = process
    const write = stdout.write
    // The end of input would end calls. It is `onEnd`.
    const on = (event: string, listener: () => void): unknown =>
      event === 'end' || event === 'close' ? undefined : stdin.on(event, listener)
    super(
      replaceMember(stdin, 'on', on) as Readable,
      replaceMember(stdout, 'write', write.bind(stdout)) as unknown as Writable,
    )
    this.#onEnd = onEnd
    this.#write = write
    const { bytesWritten = 0 } = stdout as { bytesWritten?: number }
    const text = 'bytes of standard output were written before serveMcp, which its client cannot read as messages'
    if (bytesWritten > 0 && !stdout.isTTY) warn(`${bytesWritten} ${text}. Print with console.error.`)
    stdout.write = writeToStderr
  }

  override async start(): Promise<void> {
    const { onmessage } = this
    this.onmessage = message => {
      if ('method' in message) {
        if ('id' in message) {
          try {
            refuseOpen(this.#requests, message.id, 'request')
          } catch (error) {
            return void super.send({ jsonrpc: '2.0', id: message.id, error: toErrorObject(error as BusError) })
          }
          // A subscription is answered when the service ends, and a cancelled request is not.
          if (message.method !== 'subscriptions/listen') this.#requests.add(message.id)
        }
        if (message.method === 'notifications/cancelled') this.#settle(message.params?.['requestId'])
      } else if (message.id !== undefined) this.#asked.delete(message.id)
      onmessage?.(message)
    }
    finished(process.stdin, { writable: false }, () => {
      // The last message need not end with a line break.
      process.stdin.emit('data', Buffer.from('\n'))
      this.#hasInputEnded = true
      this.#endQuestions()
      this.#settle(undefined)
    })
    await super.start()
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    // Before it is sent: the answer can come before all of it has left.
    if ('method' in message && 'id' in message) this.#asked.set(message.id, message.id)
    await super.send(message)
    if (!('method' in message)) return this.#settle(message.id)
    if (message.method === 'notifications/cancelled') this.#asked.delete(message.params?.['requestId'])
    if (this.#hasInputEnded) this.#endQuestions()
  }

  /** Their calls would wait for a client that has left. */
  #endQuestions(): void {
    const error = { code: ProtocolErrorCode.InternalError, message: 'The client has ended its input' }
    for (const id of this.#asked.values()) this.onmessage?.({ jsonrpc: '2.0', id, error })
  }

  override async close(): Promise<void> {
    await super.close()
    // A client that does not read any more is one that has gone.
    this.#onEnd()
  }

  /** Gives standard output back, unless the client has ended its input: it still reads, and what threads have printed can arrive late. */
  release(): void {
    if (!this.#hasInputEnded && process.stdout.write === writeToStderr) process.stdout.write = this.#write
    isTaken = false
  }

  #settle(id: unknown): void {
    this.#requests.delete(id)
    if (this.#hasInputEnded && this.#requests.size === 0) this.#onEnd()
  }
}

/** Methods of a stream keep the stream as their `this`. */
const replaceMember = (stream: object, name: string, value: unknown): object =>
  new Proxy(stream, {
    get(target, key) {
      const member: unknown = key === name ? value : Reflect.get(target, key)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })

/** Takes the place of `process.stdout.write`, for the console and for threads, too. Whoever pipes into it would wait in vain for `drain`. */
const writeToStderr = ((...args: Parameters<typeof process.stderr.write>): boolean => {
  process.stderr.write(...args)
  return true
}) as typeof process.stdout.write
