// Handlers whose result is many values, an async iterable: each goes out on the channel of its call, no faster than the
// frontend takes them. Whatever ends the call ends the iterable too, and waits for no iterator that never comes to its end.
import { BusError, describeCommand, isAsyncIterable } from '@sallyport/protocol'
import { takeTransfer } from '../api/transfer.js'
import { getIterator, leaveIterator } from '../shared/async-iterable.js'
import type { SendingChannel } from './channel.js'

/**
 * Sends the values of what a handler gave, and then the channel's end.
 *
 * @param result the handler's, or a promise of it
 * @throws BusError `InvalidRequest` where it is no async iterable, `InvalidParams` for a value that can't be carried, and
 * what the iterable throws
 */
export async function sendAll(
  result: unknown,
  channel: SendingChannel,
  method: string,
  signal: AbortSignal,
): Promise<null> {
  const source = await result
  if (!isAsyncIterable(source)) {
    throw new BusError(
      'InvalidRequest',
      `${describeCommand(method)} gives one value and no stream: call it with invoke`,
    )
  }
  await pump(getIterator(source), channel, signal)
  channel.end()
  return null
}

/** Resolves early where the signal aborts: once `return` has, because until then the handler still runs. */
function pump(iterator: AsyncIterator<unknown>, channel: SendingChannel, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => void leaveIterator(iterator).then(resolve)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    sendEach(iterator, channel, signal)
      .then(resolve, error => !signal.aborted && reject(error as Error))
      .finally(() => signal.removeEventListener('abort', leave))
  })
}

async function sendEach(iterator: AsyncIterator<unknown>, channel: SendingChannel, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { done, value } = await iterator.next()
    if (done || signal.aborted) return
    try {
      await channel.send(value, givenAway(value))
    } catch (error) {
      // The caller is told at once, however long the iterator takes to end.
      if (!signal.aborted) void leaveIterator(iterator)
      throw error
    }
  }
}

function givenAway(value: unknown): { transfer: readonly ArrayBufferLike[] } | undefined {
  const transfer = takeTransfer(value)
  return transfer && { transfer }
}
