// Slots that are used again: every call is found by its own id and by no other, however many there are.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallsInFlight } from './calls-in-flight.js'

describe('CallsInFlight', () => {
  it('holds what a Map by id would hold', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ add: fc.boolean(), pick: fc.nat() }), { maxLength: 2000 }), steps => {
        const calls = new CallsInFlight<{ id: number }>()
        const model = new Map<number, { id: number }>()
        for (const { add, pick } of steps) {
          if (add) {
            const call = { id: calls.takeId() }
            expect(model.has(call.id)).toBe(false)
            calls.add(call)
            model.set(call.id, call)
          } else if (model.size > 0) {
            const id = [...model.keys()][pick % model.size]!
            expect(calls.take(id)).toBe(model.get(id))
            expect(calls.take(id)).toBeUndefined()
            model.delete(id)
          }
          expect(calls.size).toBe(model.size)
        }
        expect(calls.takeAll()).toEqual([...model.values()])
        expect(calls.size).toBe(0)
      }),
    )
  })

  it('keeps calls that take long, while thousands come and go', () => {
    const calls = new CallsInFlight<{ id: number }>()
    const long = Array.from({ length: 40 }, () => ({ id: calls.takeId() }))
    for (const call of long) calls.add(call)
    for (let i = 0; i < 10_000; i++) {
      const call = { id: calls.takeId() }
      calls.add(call)
      expect(calls.take(call.id)).toBe(call)
    }
    expect(calls.takeAll()).toEqual(long)
  })

  it('makes room where an id is used much later than it was taken', () => {
    const calls = new CallsInFlight<{ id: number }>()
    const late = { id: calls.takeId() }
    const others = Array.from({ length: 1000 }, () => ({ id: calls.takeId() }))
    for (const call of others) calls.add(call)
    calls.add(late)
    for (const call of [late, ...others]) expect(calls.take(call.id)).toBe(call)
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53, 64, 65])('finds nothing under the id %d', id => {
    const calls = new CallsInFlight<{ id: number }>()
    calls.add({ id: calls.takeId() })
    expect(calls.take(id)).toBeUndefined()
  })
})
