// CallSlots behaves like a Map, whatever ids a frontend chooses: all in one slot, negative, beyond 32 bits, strings.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { RequestId } from '../wire/messages.js'
import { CallSlots } from './call-slots.js'

interface Call {
  readonly id: RequestId
}

const { MAX_SAFE_INTEGER: MAX } = Number

/** Adds, finds and deletes calls in both the slots and a Map. */
function compare(getId: (at: number) => RequestId, calls: number): void {
  const slots = new CallSlots<Call>()
  const map = new Map<RequestId, Call>()
  /** Steps after which the two differ. */
  const different: string[] = []
  for (let step = 0; step < calls * 4; step++) {
    const id = getId((step * 7919) % calls)
    if (slots.get(id) !== map.get(id)) different.push(`call ${id} at step ${step}`)
    if (map.delete(id)) slots.take(id)
    else {
      const call = { id }
      slots.set(id, call)
      map.set(id, call)
    }
    if (slots.size !== map.size) different.push(`size at step ${step}`)
  }
  for (let at = 0; at < calls; at++) {
    if (slots.get(getId(at)) !== map.get(getId(at))) different.push(`call ${getId(at)} at the end`)
  }
  expect(different).toEqual([])
  expect(new Set(slots.takeAll())).toEqual(new Set(map.values()))
  expect([slots.size, slots.takeAll()]).toEqual([0, []])
}

describe('CallSlots', () => {
  it('behaves like a Map for any ids', () =>
    rows<(at: number) => RequestId>({
      'increasing ids': at => at,
      'decreasing ids, also below zero': at => 500 - at,
      'ids of the same slot': at => at * 65_536,
      'ids that differ only beyond 32 bits': at => at * 2 ** 32 + 5,
      'the largest ids': at => MAX - at * 2 ** 20,
      'the smallest ids': at => at * 3 - MAX,
      strings: at => `${at}`,
      'strings and numbers of the same digits': at => (at % 2 === 0 ? at : `${at - 1}`),
    })(getId => compare(getId, 2000)))

  it('does not find or delete a call by another id of its slot', () => {
    const slots = new CallSlots<Call>()
    const call = { id: 3 }
    slots.set(3, call)
    for (const id of [67, -61, 3 + 2 ** 32, '3', 3.5]) {
      slots.take(id)
      expect(slots.get(id)).toBeUndefined()
    }
    expect(slots.get(3)).toBe(call)
  })

  it('keeps calls that shared a slot with a deleted call', () => {
    const slots = new CallSlots<Call>()
    const [first, second, third] = [{ id: 1 }, { id: 65 }, { id: 129 }]
    for (const call of [first, second, third]) slots.set(call.id, call)
    slots.take(1)
    expect([slots.get(65), slots.get(129), slots.size]).toEqual([second, third, 2])
    slots.set(1, first)
    slots.take(65)
    expect([slots.get(1), slots.get(65), slots.get(129), slots.size]).toEqual([first, undefined, third, 2])
  })
})
