// The doorbells of rings in virtual time: what sleeps at a word of shared memory is woken a little later, or when its thread goes on.
import { RING_WORD } from '../../../../protocol/src/link/ring/ring-buffer.js'
import type { Simulation } from '../simulation.js'
import type { Place } from './place.js'
import type { Rings } from './rings.js'

interface Sleeper {
  readonly index: number
  readonly place: Place | undefined
  wake(): void
}

const WORDS: Readonly<Record<number, string>> = { [RING_WORD.parked]: 'to read', [RING_WORD.wanted]: 'to write' }

/** Replaces the waits of this thread. Returns a function that restores them. */
export function installDoorbells(simulation: Simulation, getSleeper: Rings['getSleeper']): () => void {
  const { clock, random } = simulation
  const { waitAsync, notify } = Atomics
  const sleepers = new WeakMap<ArrayBufferLike, Sleeper[]>()
  const wakeAt = (time: number, { index, place, wake }: Sleeper): void =>
    void clock.at(time, () => {
      if (place?.dead) return undefined
      if (place && place.stalledUntil > clock.now) return wakeAt(place.stalledUntil, { index, place, wake })
      clock.place = place
      simulation.trace(() => `${place?.name}: is woken for a ring (${WORDS[index]})`)
      return wake()
    })
  const wait = (array: Int32Array, index: number, value: number): object => {
    if (Atomics.load(array, index) !== value) return { async: false, value: 'not-equal' }
    const waiting = sleepers.get(array.buffer) ?? []
    sleepers.set(array.buffer, waiting)
    const place = getSleeper(array.buffer, index)
    const woken = new Promise(resolve => waiting.push({ index, place, wake: () => resolve('ok') }))
    return { async: true, value: woken }
  }
  const wakeAll = (array: Int32Array, index: number, count = Infinity): number => {
    const waiting = sleepers.get(array.buffer) ?? []
    const woken = waiting.filter(sleeper => sleeper.index === index).slice(0, count)
    for (const sleeper of woken) {
      waiting.splice(waiting.indexOf(sleeper), 1)
      const at = clock.now + (random.chance(0.1) ? random.below(40) : random.next() * 2)
      sleeper.place?.reads(at)
      wakeAt(at, sleeper)
    }
    return woken.length
  }
  Object.assign(Atomics, { waitAsync: wait, notify: wakeAll })
  return () => void Object.assign(Atomics, { waitAsync, notify })
}
