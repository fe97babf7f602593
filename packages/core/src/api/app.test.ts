// Managed state: values by key, and the error for a missing key.
import { expect, expectTypeOf, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { stateKey, StateStore } from './app.js'

class Counter {
  count = 0
}

it('is found by its class, and by a key of stateKey', () => {
  const store = new StateStore()
  const counter = new Counter()
  const settings = stateKey<{ theme: string }>('settings')
  expect(store.manage(Counter, counter)).toBe(true)
  expect(store.manage(settings, { theme: 'dark' })).toBe(true)
  expect(store.get(Counter)).toBe(counter)
  expect(store.get(settings)).toEqual({ theme: 'dark' })
  expectTypeOf(store.get(Counter)).toEqualTypeOf<Counter>()
  expectTypeOf(store.get(settings)).toEqualTypeOf<{ theme: string }>()
  // @ts-expect-error not a Counter
  store.manage(Counter, 5)
})

it('a key that is managed keeps its first value, as in Tauri', () => {
  const store = new StateStore()
  const key = stateKey<number | undefined>('n')
  expect([store.manage(key, undefined), store.manage(key, 2)]).toEqual([true, false])
  expect(store.get(key)).toBe(undefined)
})

it('two keys with one name are different', () => {
  const store = new StateStore()
  store.manage(stateKey<number>('n'), 1)
  expect(() => store.get(stateKey<number>('n'))).toThrow('state not managed for `n`')
})

it("names a missing key with Tauri's text", () => {
  expect(() => new StateStore().get(Counter)).toThrow(
    'state not managed for `Counter`. You must call `.manage()` before using this command',
  )
})

it('rejects a key that identifies nothing', () =>
  rows([undefined, null, 'name', 5])(key => {
    expect(() => new StateStore().manage(key as never, 1)).toThrow('app.manage() takes a key and a value')
    expect(() => new StateStore().get(key as never)).toThrow(`state not managed for \`${String(key)}\``)
  }))

it('a value without a key is rejected, because it could not be found', () => {
  const store = new StateStore() as unknown as { manage(value: unknown): boolean }
  expect(() => store.manage(new Counter())).toThrow('app.manage(Counter, new Counter())')
})
