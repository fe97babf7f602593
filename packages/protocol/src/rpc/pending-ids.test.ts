// Each call is found by its own id only, however many calls there are and however long some of them take.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError } from '../errors/bus-error.js'
import { PendingCalls } from './pending-calls.js'

function setUp() {
  const pending = new PendingCalls(() => {})
  const settled: [id: number, how: unknown][] = []
  return {
    pending,
    add(id: number = pending.takeId()): number {
      pending.add(
        id,
        'greet',
        result => settled.push([id, result]),
        ({ reason }) => settled.push([id, reason]),
        undefined,
      )
      return id
    },
    /** Returns the calls that a response to `id` settles. */
    answer(id: number): typeof settled {
      pending.settle({ jsonrpc: '2.0', id, result: 'ok' })
      return settled.splice(0)
    },
    rejectAll(): typeof settled {
      pending.rejectAll(() => new BusError('Disconnected', 'gone'))
      return settled.splice(0)
    },
  }
}

const lost = (ids: Iterable<number>): [number, string][] => [...ids].map(id => [id, 'Disconnected'])

describe('pending calls', () => {
  it('behave like a Set of their ids', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ add: fc.boolean(), pick: fc.nat() }), { maxLength: 2000 }), steps => {
        const { pending, add, answer, rejectAll } = setUp()
        const model = new Set<number>()
        for (const step of steps) {
          if (step.add) {
            const id = pending.takeId()
            expect(model.has(id)).toBe(false)
            model.add(add(id))
          } else if (model.size > 0) {
            const id = [...model][step.pick % model.size]!
            expect(answer(id)).toEqual([[id, 'ok']])
            expect(answer(id)).toEqual([])
            model.delete(id)
          }
          expect(pending.size).toBe(model.size)
        }
        expect(rejectAll()).toEqual(lost(model))
        expect(pending.size).toBe(0)
      }),
    )
  })

  it('can take long while thousands of others are settled', () => {
    const { add, answer, rejectAll } = setUp()
    const long = Array.from({ length: 40 }, () => add())
    for (let i = 0; i < 10_000; i++) {
      const id = add()
      expect(answer(id)).toEqual([[id, 'ok']])
    }
    expect(rejectAll()).toEqual(lost(long))
  })

  it('can start much later than their id was taken', () => {
    const { pending, add, answer } = setUp()
    const late = pending.takeId()
    const others = Array.from({ length: 1000 }, () => pending.takeId())
    for (const id of [...others, late]) add(id)
    for (const id of [late, ...others]) expect(answer(id)).toEqual([[id, 'ok']])
  })

  it('are not found under another id', () =>
    rows([-1, 0.5, Number.NaN, 2 ** 53, 64, 65])(id => {
      const { add, answer } = setUp()
      add()
      expect(answer(id)).toEqual([])
    }))
})
