// The channel that a handler holds. Once all handles of a channel are garbage, no more can be sent, and the channel ends.
import { refuseNestedChannel } from '@sallyport/protocol/internal/codec'
import { toChannelReference, type TransferOptions } from '@sallyport/protocol/internal/message'
import type { Channel } from './channel.js'

/** The channel behind its handles. */
interface HeldChannel extends Channel {
  releaseHandle(): void
}

/** Releases handles that are collected without `end`, as dropping a channel does in Tauri. */
const collectedHandles = new FinalizationRegistry<HeldChannel>(channel => channel.releaseHandle())

export class ChannelHandle implements Channel {
  readonly #channel: HeldChannel

  constructor(channel: HeldChannel) {
    this.#channel = channel
    collectedHandles.register(this, channel)
  }

  get id(): number {
    return this.#channel.id
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
