// The queue of a connection that is no page's, which tells of what was not sent; and that of a client whose core is in the same thread, which tells
// core in whose async context each call was made.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { CallMessage, RequestId } from '@sallyport/protocol/internal/message'
import { type AsyncContext, captureContext } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'
import { type CallCount, ClientQueue, type FlowOptions, type QueuedMessage, type Transfer } from './client-queue.js'

/** The async context of each call that core has not received yet, by the call's id. For a core in the caller's thread. */
export type CallerContexts = Map<RequestId | undefined, AsyncContext>

export interface NodeFlowOptions extends FlowOptions {
  /** Gets the async context of each call. */
  callers?: CallerContexts | undefined
  /** Called for each call that the client refuses with `Overloaded`, and each event that it drops. */
  onUnsent?: (() => void) | undefined
}

export class NodeClientQueue extends ClientQueue {
  readonly #onUnsent: (() => void) | undefined

  constructor(link: Link, codec: CodecName, pending: CallCount, options: NodeFlowOptions = {}) {
    super(link, codec, pending, options)
    this.#onUnsent = options.onUnsent
  }

  override end(createReason: () => BusError): void {
    super.end(() => {
      this.#onUnsent?.()
      return createReason()
    })
  }

  protected override overloaded(message: CallMessage): BusError {
    this.#onUnsent?.()
    return super.overloaded(message)
  }
}

export class CallerQueue extends NodeClientQueue {
  readonly #callers: CallerContexts

  constructor(
    link: Link,
    codec: CodecName,
    pending: CallCount,
    options: NodeFlowOptions & { callers: CallerContexts },
  ) {
    super(link, codec, pending, options)
    this.#callers = options.callers
  }

  override enqueue(message: CallMessage, transfer: Transfer): QueuedMessage | undefined {
    const queued = super.enqueue(message, transfer)
    if (message.id !== undefined) this.#callers.set(message.id, captureContext())
    return queued
  }

  override remove(id: number): boolean {
    const isUnsent = super.remove(id)
    if (isUnsent) this.#callers.delete(id)
    return isUnsent
  }

  override end(createReason: () => BusError): void {
    this.#callers.clear()
    super.end(createReason)
  }
}
