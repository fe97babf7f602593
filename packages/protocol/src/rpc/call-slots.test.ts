// Calls by id behave as a Map does, whatever ids a frontend chooses: all in one slot, negative, beyond 32 bits, texts.
import { describe, expect, it } from 'vitest'
import type { RequestId } from '../message/message.js'
import { CallSlots } from './pending-calls.js'

interface Call {
  readonly id: RequestId
}

const { MAX_SAFE_INTEGER: MAX } = Number

/** Adds, looks for and deletes calls in turn, in the table and in a Map. */
function compare(idOf: (at: number) => RequestId, calls: number): void {
  const slots = new CallSlots<Call>()
  const map = new Map<RequestId, Call>()
  for (let step = 0; step < calls * 4; step++) {
    const id = idOf((step * 7919) % calls)
    expect(slots.get(id)).toBe(map.get(id))
    if (map.delete(id)) slots.delete(id)
    else {
      const call = { id }
      slots.add(id, call)
      map.set(id, call)
    }
    expect(slots.size).toBe(map.size)
  }
  for (let at = 0; at < calls; at++) expect(slots.get(idOf(at))).toBe(map.get(idOf(at)))
  expect(new Set(slots.takeAll())).toEqual(new Set(map.values()))
  expect([slots.size, slots.takeAll()]).toEqual([0, []])
}

describe('calls by id', () => {
  it.each<[string, (at: number) => RequestId]>([
    ['that count up', at => at],
    ['that count down, to below zero', at => 500 - at],
    ['that all want the same slot', at => at * 65_536],
    ['that differ only beyond 32 bits', at => at * 2 ** 32 + 5],
    ['that are as large as can be', at => MAX - at * 2 ** 20],
    ['that are as small as can be', at => at * 3 - MAX],
    ['that are texts', at => `${at}`],
    ['that are texts and numbers of the same digits', at => (at % 2 === 0 ? at : `${at - 1}`)],
  ])('%s', (_name, idOf) => compare(idOf, 2000))

  it('finds nobody under another’s slot, nor takes him out', () => {
    const slots = new CallSlots<Call>()
    const call = { id: 3 }
    slots.add(3, call)
    for (const id of [67, -61, 3 + 2 ** 32, '3', 3.5]) {
      slots.delete(id)
      expect(slots.get(id)).toBeUndefined()
    }
    expect(slots.get(3)).toBe(call)
  })

  it('keeps calls that shared a slot when their neighbours have gone', () => {
    const slots = new CallSlots<Call>()
    const [one, two, three] = [{ id: 1 }, { id: 65 }, { id: 129 }]
    for (const call of [one, two, three]) slots.add(call.id, call)
    slots.delete(1)
    expect([slots.get(65), slots.get(129), slots.size]).toEqual([two, three, 2])
    slots.add(1, one)
    slots.delete(65)
    expect([slots.get(1), slots.get(65), slots.get(129), slots.size]).toEqual([one, undefined, three, 2])
  })
})
