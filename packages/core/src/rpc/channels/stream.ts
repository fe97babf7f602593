// Streams: handlers that return an async iterable. Its values leave on the channel of the call, no faster than the frontend takes
// them. When the call ends, it ends the iterable too. It does not wait for an iterator that never finishes.
import { BusError, describeCommand } from '@sallyport/protocol/internal/errors'
import { sendEach, type StreamSender } from '@sallyport/protocol/internal/rpc'
import { getIterator, isAsyncIterable, leaveIterator } from '@sallyport/protocol/internal/util'
import { HOST_METHOD } from '../../contract/host-core.js'
import { takeTransfer } from '../../api/transfer.js'

/**
 * Sends the values of an async iterable, or a promise of one, then the channel's end. The host takes one value, too, which is returned.
 *
 * @throws the iterable's own errors, too
 */
export async function sendAll(
  result: unknown,
  channel: StreamSender,
  method: string,
  signal: AbortSignal,
): Promise<unknown> {
  const iterable = await result
  if (!isAsyncIterable(iterable)) {
    if (method === HOST_METHOD.call) return iterable
    const text = `${describeCommand(method)} returned one value instead of a stream. Call it with invoke`
    throw new BusError('InvalidRequest', text)
  }
  await sendUntilAbort(getIterator(iterable), channel, signal)
  channel.end()
  return null
}

/** Resolves early if the signal aborts, but not before the iterator's `return` has: until then the handler still runs. */
function sendUntilAbort(iterator: AsyncIterator<unknown>, channel: StreamSender, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => void leaveIterator(iterator).then(resolve)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    sendEach(iterator, channel, takeTransfer)
      .then(
        isDone => {
          if (isDone || signal.aborted) return resolve()
          void leaveIterator(iterator)
          reject(new BusError('Disconnected', `The reader closed channel ${channel.id}`))
        },
        error => !signal.aborted && reject(error as Error),
      )
      .finally(() => signal.removeEventListener('abort', leave))
  })
}
