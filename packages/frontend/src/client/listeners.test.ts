// What a handler is given: a script in a sandbox must not get hold of the client's own records through it.
import { expect, test } from 'vitest'
import { Listeners } from './listeners.js'

test('a handler gets the event, and no listener as its `this`', () => {
  const listeners = new Listeners()
  const given: unknown[] = []
  const handler = function (this: unknown, ...args: unknown[]): void {
    given.push(this, ...args)
  }
  listeners.add(7, { event: 'e', target: { kind: 'Any' }, headers: undefined, handler })
  listeners.dispatch({ event: 'e', ids: [7], payload: 1 })
  expect(given).toEqual([undefined, { event: 'e', id: 7, payload: 1 }])
})
