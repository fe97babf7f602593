// @ts-check
// The actor of `actorPlugin` in a frontend. It has the shape of an XState actor, so `useSelector` of `@xstate/react` works with it.
import { setTimeout as delay } from 'node:timers/promises'
import * as frontend from '@sallyport/frontend'

/** Milliseconds before the next attempt to follow the actor, after core has ended. */
const RETRY_DELAY_MS = 50

/**
 * @template Snapshot
 * @typedef {{ next?(snapshot: Snapshot): void, error?(error: unknown): void, complete?(): void }} Observer
 */

/**
 * Follows the actor `name` of core. Resolves with its first snapshot. When core restarts, the actor keeps its last snapshot and follows the new
 * one.
 *
 * @template Snapshot
 * @template {{ type: string }} Event
 * @param {string} name
 * @param {Pick<typeof frontend, 'invoke' | 'Channel'>} [client] for example of `bus.connect`; this frontend's own by default
 * @throws `Denied` without the permission `<name>:allow-subscribe`
 */
export async function remoteActor(name, client = frontend) {
  /** @type {Set<Observer<Snapshot>>} */
  const observers = new Set()
  /** @type {Snapshot | undefined} */
  let snapshot
  /** @type {{ error?: unknown } | undefined} */
  let end
  /** @param {Observer<Snapshot>} observer */
  const finish = observer => (end && 'error' in end ? observer.error?.(end.error) : observer.complete?.())

  /** @type {() => Promise<InstanceType<typeof frontend.Channel<{ snapshot: Snapshot } | { ended: true }>>>} */
  const open = async () => {
    const channel = new client.Channel()
    await client.invoke(`plugin:${name}|subscribe`, { channel })
    return /** @type {any} */ (channel)
  }
  /** Reads a channel. @returns true if the actor has ended; false if the channel was cut off */
  const read = async (/** @type {Awaited<ReturnType<typeof open>>} */ channel, onFirst = () => {}) => {
    for await (const message of channel) {
      if ('ended' in message) return true
      snapshot = message.snapshot
      onFirst()
      for (const { next } of [...observers]) next?.(snapshot)
    }
    return false
  }
  const follow = async (/** @type {() => void} */ onFirst) => {
    let channel = await open()
    while (!(await read(channel, onFirst))) {
      for (;;) {
        await delay(RETRY_DELAY_MS, undefined, { ref: false })
        try {
          channel = await open()
          break
        } catch (error) {
          if (!frontend.isBusError(error, 'Disconnected')) throw error
        }
      }
    }
  }
  await new Promise((resolve, reject) => {
    follow(() => resolve(undefined))
      .then(() => (end = {}))
      .catch(error => {
        end = { error }
        reject(error)
      })
      .finally(() => [...observers].forEach(finish))
  })

  return {
    getSnapshot: () => /** @type {Snapshot} */ (snapshot),
    /** Emits each change from now on. @param {Observer<Snapshot> | ((snapshot: Snapshot) => void)} observer */
    subscribe(observer) {
      const added = typeof observer === 'function' ? { next: observer } : { ...observer }
      if (end) finish(added)
      else observers.add(added)
      return { unsubscribe: () => void observers.delete(added) }
    },
    /** Resolves when core has passed the event to the actor; rejects if it is refused. @param {Event} event */
    send: event => client.invoke(`plugin:${name}|send`, { event }),
  }
}
