// Channels as handlers see them, and as their calls end them.
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { TransferOptions } from '@sallyport/protocol/internal/message'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  /** The number in `__CHANNEL__:<id>`. */
  readonly id: number
  /**
   * Aborts when messages no longer arrive: the frontend closed the channel, cancelled its call or disconnected, or the call that
   * opened the channel failed.
   */
  readonly signal: AbortSignal
  /**
   * Sends the message as it is now. Resolves when there is room for the next one: until the frontend has read some, at most 4 MiB
   * bytes (4 MiB) are in flight. Each message counts 1 KiB more. If the sender does not wait, up to 65 536 messages or 64 MiB are queued.
   *
   * @throws {BusError} `Disconnected` if the channel has ended or was closed, or its frontend disconnected; `InvalidParams` if
   * the message cannot be serialized; `Overloaded` if too much is queued
   */
  send(message: T, options?: TransferOptions): Promise<void>
  /** Ends the stream after all messages that were sent. The frontend's iterators finish. */
  end(): void
}

/** A channel that a call opened, or a stream among its arguments. */
export interface CallChannel {
  readonly isOpen: boolean
  /** Ends because the call never ran. */
  end(): void
  /** Ends because the call failed. @default end */
  fail?(): void
  /** Ends because the call was aborted. */
  abandon(message: string, reason?: BusError): void
  /** The call is over. A channel remains open. */
  release?(): void
}
