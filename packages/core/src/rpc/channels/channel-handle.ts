// The channel that a handler holds. Once all handles of a channel are garbage, no more can be sent, and the channel ends.
import { refuseNestedChannel } from '@sallyport/protocol/internal/codec'
import { toChannelReference, type TransferOptions } from '@sallyport/protocol/internal/message'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { SENT, type StreamSender } from '@sallyport/protocol/internal/rpc'
import type { CallChannel, Channel } from './channel.js'

/** What the handles of one channel share. */
export class HeldChannel implements CallChannel {
  readonly sender: StreamSender
  readonly #lost: (error: BusError) => void
  #handleCount = 0
  #controller: AbortController | undefined
  #failure: string | undefined

  /** @param lost - is called with the error of a message that cannot be serialized, which the handler may not await */
  constructor(sender: StreamSender, lost: (error: BusError) => void) {
    this.sender = sender
    this.#lost = lost
    sender.left = reason => this.#abort(reason)
  }

  get isOpen(): boolean {
    return this.sender.isOpen
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#failure !== undefined) this.#abort(this.#failure)
    return this.#controller.signal
  }

  createHandle(): ChannelHandle {
    this.#handleCount++
    return new ChannelHandle(this)
  }

  releaseHandle(): void {
    if (--this.#handleCount === 0) this.end()
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    const sent = this.sender.send(message, options?.transfer)
    if (sent !== SENT) sent.catch(error => isBusError(error, 'InvalidParams') && this.#lost(error))
    return sent
  }

  end(): void {
    this.sender.end()
  }

  /** Holders of a handle see the signal abort. Messages that still wait are rejected: the client, which ends the channel itself, gives no credit. */
  fail(): void {
    const reason = `The call that opened channel ${this.sender.id} failed`
    this.end()
    this.abandon(reason)
    this.#abort(reason)
  }

  abandon(reason: string): void {
    this.sender.abandon(reason)
  }

  #abort(reason: string): void {
    this.#failure ??= reason
    this.#controller?.abort(new BusError('Disconnected', this.#failure, { data: { delivered: 'no' } }))
  }
}

/** Releases handles that are collected without `end`, as dropping a channel does in Tauri. */
const collectedHandles = new FinalizationRegistry<HeldChannel>(channel => channel.releaseHandle())

export class ChannelHandle implements Channel {
  readonly #channel: HeldChannel

  constructor(channel: HeldChannel) {
    this.#channel = channel
    collectedHandles.register(this, channel)
  }

  /** Static, so that handlers do not find it. */
  static getSender(handle: ChannelHandle): StreamSender {
    return handle.#channel.sender
  }

  get id(): number {
    return this.#channel.sender.id
  }

  get signal(): AbortSignal {
    return this.#channel.signal
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    return this.#channel.send(message, options)
  }

  end(): void {
    this.#channel.end()
  }

  /** @throws {TypeError} within a message, as that of a frontend's `Channel` */
  toJSON(): string {
    refuseNestedChannel(this)
    return toChannelReference(this.id)
  }
}
