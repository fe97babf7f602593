// The types of a bus in an editor: the functions that its frontends expose, and its events.
import { Channel, type ChannelSender, expose, type Exposed } from '@sallyport/frontend'
import type { Platform } from '../../src/acl/types.js'
import type { CommandResult, EmitParameters } from '@sallyport/frontend/internal'
import { expectTypeOf, test } from 'vitest'
import {
  type Bus,
  type BusError,
  type BusOptions,
  type CallOptions,
  type Capability,
  createBus,
  type Serialized,
} from '../../src/index.js'

interface Source {
  src: string
}

const exposed = expose({
  transform: ({ src }: Source) => src.toUpperCase(),
  since: async ({ times }: { times: number[] }, ctx) => times.map(time => new Date(ctx.signal.aborted ? 0 : time)),
  anything: ({ value }) => {
    expectTypeOf(value).toEqualTypeOf<unknown>()
    return 1
  },
  ping: () => 'pong' as const,
  async *count({ to }: { to: number }) {
    for (let n = 1; n <= to; n++) yield { n, at: new Date() }
  },
  report: (_args: { progress: ChannelSender<number> }) => 'done',
})
type Main = typeof exposed

declare const options: BusOptions
const createTyped = () =>
  createBus<{ frontends: { main: Main }; events: { progress: { at: Date }; done: undefined } }>(options)
type Typed = Awaited<ReturnType<typeof createTyped>>
declare const typed: Typed
declare const untyped: Bus
declare const source: Source

test('exposed functions', () => {
  expectTypeOf(exposed).toExtend<() => void>()
  expectTypeOf<Main>().toExtend<Exposed>()
  // @ts-expect-error a function is exposed, no value
  expose({ five: 5 })
})

test('calls of functions of frontends', () => {
  expectTypeOf(typed.call('main', 'transform', { src: 'x' }, { timeout: 5 })).resolves.toEqualTypeOf<string>()
  expectTypeOf(typed.call('main', 'transform', source)).resolves.toEqualTypeOf<string>()
  expectTypeOf(typed.call('main', 'since', { times: [1] })).resolves.toEqualTypeOf<string[]>()
  expectTypeOf(typed.call('main', 'ping')).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(typed.call('main', 'anything', { what: 'ever' })).resolves.toEqualTypeOf<number>()
  // @ts-expect-error no such frontend
  void typed.call('mian', 'ping')
  // @ts-expect-error no such function
  void typed.call('main', 'pong')
  // @ts-expect-error arguments are missing
  void typed.call('main', 'transform')
  // @ts-expect-error src is a string
  void typed.call('main', 'transform', { src: 1 })
  // @ts-expect-error a function gets no headers
  void typed.frontend('main').transform({ src: 'x' }, { headers: { trace: 'x' } })
})

test('streams and channels of frontends', () => {
  type Item = { n: number; at: string }
  expectTypeOf(typed.stream('main', 'count', { to: 3 }).next()).resolves.toEqualTypeOf<IteratorResult<Item, void>>()
  expectTypeOf(typed.frontend('main').count({ to: 3 })).toExtend<AsyncIterable<Item>>()
  expectTypeOf(typed.frontend('main').ping()).toEqualTypeOf<Promise<'pong'>>()
  expectTypeOf(untyped.stream<number>('main', 'any')).toExtend<AsyncIterable<number>>()
  void typed.call('main', 'report', { progress: new Channel<number>() })
  // @ts-expect-error the function returns one value
  typed.stream('main', 'ping')
  // @ts-expect-error the function returns a stream
  void typed.call('main', 'count', { to: 3 })
  // @ts-expect-error messages are numbers
  void typed.call('main', 'report', { progress: new Channel<string>(text => text.trim()) })
})

test('events', () => {
  void typed.emit('done')
  void typed.emit('progress', { at: new Date() })
  void typed.emitTo('main', 'done')
  void typed.listen('progress', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ at: string }>())
  // @ts-expect-error no such event
  void typed.emit('dnoe')
  // @ts-expect-error the payload is missing
  void typed.emit('progress')
})

test('a bus without types accepts any name', () => {
  expectTypeOf(untyped.call('x', 'y', source)).resolves.toEqualTypeOf<unknown>()
  // @ts-expect-error a function gets no headers
  void untyped.call('x', 'y', source, { headers: { trace: 'x' } })
  expectTypeOf(untyped.call<string>('x', 'y')).resolves.toEqualTypeOf<string>()
  void untyped.listen<number>('any', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<number>())
  void untyped.emit('any', 5)
  expectTypeOf<Awaited<ReturnType<typeof createBus>>>().toEqualTypeOf<Bus>()
  const take = (bus: Bus): Bus => bus
  take(typed)
})

test('errors of events are those of the bus', () => {
  untyped.on('fault', ({ error }) => expectTypeOf(error).toEqualTypeOf<BusError>())
  untyped.on('failed', ({ error }) => expectTypeOf(error.reason).toEqualTypeOf<BusError['reason']>())
})

test('an interface is accepted as arguments', async () => {
  const client = await untyped.connect('main')
  void client.invoke('transform', source)
  void client.stream('transform', source)
})

test('types that signatures of the bus refer to have names', () => {
  type Types = { events: { progress: { at: Date } }; codec: 'msgpack' }
  expectTypeOf<Serialized<Types['events']['progress'], Types['codec']>>().toEqualTypeOf<{ at: Date }>()
  expectTypeOf<EmitParameters<undefined>>().toExtend<[payload?: undefined, options?: object]>()
  expectTypeOf<Parameters<Bus<Types>['once']>[1]>().toExtend<CallOptions | ((event: never) => unknown) | undefined>()
  expectTypeOf<CommandResult<Main, 'ping'>>().toEqualTypeOf<'pong'>()
  expectTypeOf<Platform>().toExtend<NonNullable<Capability['platforms']>[number]>()
})
