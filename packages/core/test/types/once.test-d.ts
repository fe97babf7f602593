// The types of `once`: with a handler a function that removes it, without one a promise of the event.
import { type BusEvent, createClient, once, type Unlisten } from '@sallyport/frontend'
import { expectTypeOf, test } from 'vitest'
import type { App, Bus, Client } from '../../src/index.js'

declare const bus: Bus
declare const client: Client
declare const app: App
const options = { timeout: 1, target: 'main', signal: new AbortController().signal }

test('without a handler, once is a promise of the event', () => {
  for (const waits of [bus.once<number>('e'), client.once<number>('e', options), once<number>('e', options)]) {
    expectTypeOf(waits).toEqualTypeOf<Promise<BusEvent<number>>>()
  }
  expectTypeOf(bus.once('e', options)).toEqualTypeOf<Promise<BusEvent>>()
  expectTypeOf(app.once<number>('e', options)).toEqualTypeOf<Promise<BusEvent<number>>>()
})

test('with a handler, once returns what removes it', () => {
  for (const listens of [bus.once('e', () => {}), client.once('e', () => {}, options), once('e', () => {})]) {
    expectTypeOf(listens).toEqualTypeOf<Promise<Unlisten>>()
  }
  expectTypeOf(app.once('e', () => {})).toEqualTypeOf<Unlisten>()
})

test('a typed client knows the payload', () => {
  const typed = createClient<object, { events: { news: Date } }>()
  expectTypeOf(typed.once('news')).toEqualTypeOf<Promise<BusEvent<string>>>()
  // @ts-expect-error: no such event
  void typed.once('new')
})

test('bus.on takes the events of the bus only', () => {
  expectTypeOf(bus.on)
    .parameter(0)
    .toEqualTypeOf<
      'fault' | 'restart' | 'failed' | 'exited' | 'slow' | 'overload' | 'denied' | 'rejected' | 'rightsChanged'
    >()
})
