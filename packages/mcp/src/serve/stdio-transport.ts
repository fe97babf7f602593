// Standard input and output of this process, which belong to the protocol while a service has them.
import { finished } from 'node:stream'
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/server'
import { BusError } from '@sallyport/core'
import { warn } from '@sallyport/protocol/internal/util'

let isTaken = false

export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #onEnd: () => void
  readonly #write = process.stdout.write
  readonly #buffer = new ReadBuffer()
  /** Requests without an answer. */
  readonly #requests = new Set<unknown>()
  #hasInputEnded = false
  #isClosed = false

  /**
   * @param onEnd - called once no request can come any more, and all are answered
   * @throws {BusError} InvalidParams if another service has them
   */
  constructor(onEnd: () => void) {
    if (isTaken) throw new BusError('InvalidParams', 'serveMcp: another service has standard input and output')
    isTaken = true
    this.#onEnd = onEnd
    const { bytesWritten = 0 } = process.stdout as { bytesWritten?: number }
    const text = 'bytes of standard output were written before serveMcp, which its client cannot read as messages'
    if (bytesWritten > 0 && !process.stdout.isTTY) warn(`${bytesWritten} ${text}. Print with console.error.`)
    process.stdout.write = writeToStderr
    // A client that has gone must not end this process.
    process.stdout.on('error', this.#onOutputError)
  }

  async start(): Promise<void> {
    process.stdin.on('data', this.#read)
    finished(process.stdin, { writable: false }, () => {
      this.#hasInputEnded = true
      this.#endIfAnswered()
    })
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) throw new Error('The service has ended')
    const text = serializeMessage(message)
    await new Promise<void>((resolve, reject) => {
      this.#write.call(process.stdout, text, 'utf8', error => (error ? reject(error) : resolve()))
    })
    if (!('method' in message)) this.#settle(message.id)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    process.stdin.off('data', this.#read)
    if (process.stdin.listenerCount('data') === 0) process.stdin.pause()
    this.onclose?.()
  }

  /** Gives standard output back. */
  release(): void {
    if (process.stdout.write === writeToStderr) process.stdout.write = this.#write
    process.stdout.off('error', this.#onOutputError)
    isTaken = false
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      this.#buffer.append(chunk)
    } catch (error) {
      this.onerror?.(error as Error)
      return this.#onEnd()
    }
    for (;;) {
      try {
        const message = this.#buffer.readMessage()
        if (message === null) return
        this.#receive(message)
      } catch (error) {
        this.onerror?.(error as Error)
      }
    }
  }

  #receive(message: JSONRPCMessage): void {
    // A subscription is answered when the service ends, and a cancelled request is not.
    if (isJSONRPCRequest(message)) {
      if (message.method !== 'subscriptions/listen') this.#requests.add(message.id)
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      this.#settle(message.params?.['requestId'])
    }
    this.onmessage?.(message)
  }

  #settle(id: unknown): void {
    this.#requests.delete(id)
    this.#endIfAnswered()
  }

  #endIfAnswered(): void {
    if (this.#hasInputEnded && this.#requests.size === 0) this.#onEnd()
  }

  readonly #onOutputError = (error: Error): void => {
    if (this.#isClosed) return
    this.onerror?.(error)
    this.#onEnd()
  }
}

/** Whoever pipes into standard output waits for its `drain`. */
const relayDrain = (): void => void process.stdout.emit('drain')

/** Takes the place of `process.stdout.write`, for the console and for threads, too. */
const writeToStderr = ((...args: Parameters<typeof process.stderr.write>): boolean => {
  const hasRoom = process.stderr.write(...args)
  if (!hasRoom && !process.stderr.listeners('drain').includes(relayDrain)) process.stderr.once('drain', relayDrain)
  return hasRoom
}) as typeof process.stdout.write
