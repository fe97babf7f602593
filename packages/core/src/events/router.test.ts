// The order of deliveries, and which events the listener of a network receives.
import { isBusError } from '@sallyport/protocol/internal/errors'
import { MAX_EVENT_QUEUE_BYTES } from '@sallyport/protocol/internal/wire'
import { codecs } from '@sallyport/protocol/internal/codec'
import type { Logger } from 'pino'
import { describe, expect, it } from 'vitest'
import { LocalListeners } from '../core-thread/create-app.js'
import { EventRouter, type Subscriber, warnAboutUnheard } from './router.js'

it('delivers to core last, so that its changes of the payload reach no frontend', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const received: unknown[] = []
  const frontend = (label: string) => ({
    label,
    deliver: (_delivery: unknown, { value }: { value: unknown }) =>
      void received.push([label, [...(value as Uint8Array)]]),
  })
  const overwrite = ({ payload }: { payload: unknown }): void => {
    received.push('core')
    ;(payload as Uint8Array).fill(9)
  }
  router.listen('e', { kind: 'Any' }, frontend('a'))
  local.listen('e', overwrite, { kind: 'Any' })
  router.listen('e', { kind: 'Any' }, frontend('b'))
  local.listen('e', overwrite, { kind: 'Any' })
  router.emit('e', new Uint8Array([1, 2]))
  expect(received).toEqual([['a', [1, 2]], ['b', [1, 2]], 'core', 'core'])
})

it('calls the onEmit listener before other listeners, for emit and emitTo only', () => {
  const router = new EventRouter()
  const local = new LocalListeners(router)
  const calls: unknown[] = []
  const to = { kind: 'AnyLabel', label: 'a' } as const
  router.onEmit((...event) => void calls.push(event))
  local.listen('e', ({ payload }) => void calls.push(payload), { kind: 'Any' })
  router.emit('e', 1)
  router.emitTo(to, 'e', 2)
  router.deliver(to, 'e', 3)
  router.deliverWhere('e', 4, () => true)
  router.emit('nobody-listens', 5)
  expect(calls).toEqual([[undefined, 'e', 1], 1, [to, 'e', 2], 2, 3, 4, [undefined, 'nobody-listens', 5]])
  expect(() => router.emit('no name', 6)).toThrow(expect.toSatisfy(error => isBusError(error, 'InvalidParams')))
  expect(calls).toHaveLength(7)
})

it('delivers an event to local listeners and throws when the onEmit listener throws', () => {
  const router = new EventRouter()
  const received: unknown[] = []
  new LocalListeners(router).listen('e', ({ payload }) => void received.push(payload), { kind: 'Any' })
  router.onEmit(() => {
    throw new Error('too large')
  })
  expect(() => router.emit('e', 1)).toThrow('too large')
  expect(received).toEqual([1])
})

it('keeps no long names for a frontend, which could fill the memory with them', () => {
  const router = new EventRouter()
  const unheard: string[] = []
  router.onUnheard(event => void unheard.push(event))
  const any = { kind: 'Any' } as const
  const frontend = { label: 'a', deliver: () => {} }
  const [longest, longer] = ['x'.repeat(1000), 'x'.repeat(1001)]
  const refusal = "The listener's event and target have more than 1000 characters"
  expect(() => router.listen(longer, any, frontend)).toThrow(refusal)
  expect(() => router.listen('e', { kind: 'AnyLabel', label: longest }, frontend)).toThrow(refusal)
  for (const event of [longer, longest]) router.emit(event, 1)
  expect(unheard).toEqual([longest])
  router.listen(longest, any, frontend)
  router.listen(longer, any, { label: undefined, deliver: () => {} })
})

it('reuses the delivery to a target until the listeners change', () => {
  const router = new EventRouter()
  const deliveries: unknown[] = []
  const frontend = { label: 'a', deliver: (delivery: unknown) => void deliveries.push(delivery) }
  const target = { kind: 'AnyLabel', label: 'a' } as const
  const first = router.listen('e', { kind: 'Any' }, frontend)
  for (let n = 0; n < 2; n++) router.emitTo(target, 'e', n)
  const second = router.listen('e', target, frontend)
  router.emitTo(target, 'e', 2)
  expect(deliveries[0]).toBe(deliveries[1])
  expect(deliveries[2]).toMatchObject({ ids: [first, second] })
  for (let n = 0; n < 100; n++) router.emitTo({ kind: 'AnyLabel', label: `other-${n}` }, 'e', n)
  router.unlisten('e', first, frontend)
  router.emitTo(target, 'e', 3)
  expect(deliveries).toHaveLength(4)
  expect(deliveries[3]).toMatchObject({ ids: [second] })
})

it('refuses more listeners of one frontend than the limit, until it has ended', () => {
  const router = new EventRouter()
  const frontend = { label: 'a', deliver: () => {} }
  const listenOften = (): void => {
    for (let n = 0; n < 4096; n++) router.listen('e', { kind: 'Any' }, frontend)
    expect(() => router.listen('e', { kind: 'Any' }, frontend)).toThrow('More than 4096 listeners of one frontend')
  }
  listenOften()
  router.dropSubscriber(frontend)
  listenOften()
})

it('takes an event from nobody because another listener fails, and throws the first error', () => {
  const router = new EventRouter()
  const received: string[] = []
  for (const label of ['a', 'b', 'c']) {
    const deliver = (): void => {
      received.push(label)
      if (label !== 'c') throw new Error(`${label} has failed`)
    }
    router.listen('e', { kind: 'Any' }, { label, deliver })
  }
  expect(() => router.emit('e', 1)).toThrow('a has failed')
  expect(received).toEqual(['a', 'b', 'c'])
})

it('warns once of each of 100 events without a listener, also of one that had a listener', () => {
  const router = new EventRouter()
  const warned: unknown[] = []
  const log = { warn: ({ event }: { event: string }) => void warned.push(event) } as unknown as Logger
  warnAboutUnheard(router, ['notes'], () => log)
  const frontend = { label: 'a', deliver: () => {} }
  const id = router.listen('e0', { kind: 'Any' }, frontend)
  router.emit('e0', 1)
  router.unlisten('e0', id, frontend)
  const events = Array.from({ length: 102 }, (_, n) => `e${n}`)
  for (const event of ['notes://changed', ...events, ...events]) router.emit(event, 1)
  expect(warned).toEqual(events.slice(0, 100))
})

describe('events that are held for the host', () => {
  const any = { kind: 'Any' } as const
  const createSubscriber = (label: string | undefined) => {
    const received: unknown[] = []
    const subscriber: Subscriber = { label, deliver: ({ ids }, { value }) => void received.push([ids, value]) }
    return { received, subscriber }
  }

  it('reach listeners that the host adds, after the answer to their registration and before later events', async () => {
    const router = new EventRouter()
    const { received, subscriber } = createSubscriber(undefined)
    router.emit('e', 'too early')
    router.hold('json')
    router.emit('e', 1)
    router.emit('other', 2)
    const first = router.listen('e', any, subscriber)
    expect(received).toEqual([])
    router.emit('e', 3)
    expect(received).toEqual([1, 3].map(value => [[first], value]))
    received.length = 0
    const second = router.listen('e', any, subscriber)
    await Promise.resolve()
    expect(received).toEqual([1, 3].map(value => [[second], value]))
    received.length = 0
    expect(router.release()).toBe(0)
    router.listen('e', any, subscriber)
    await Promise.resolve()
    expect(received).toEqual([])
  })

  it('reach only listeners to their target, and neither core nor a frontend', async () => {
    const router = new EventRouter()
    const [host, frontend] = [createSubscriber(undefined), createSubscriber('a')]
    router.hold('json')
    router.emitTo({ kind: 'AnyLabel', label: 'a' }, 'e', 1)
    router.listen('e', { kind: 'AnyLabel', label: 'b' }, host.subscriber)
    const id = router.listen('e', { kind: 'AnyLabel', label: 'a' }, host.subscriber)
    router.listen('e', any, frontend.subscriber)
    new LocalListeners(router).listen('e', () => host.received.push('core'), any)
    await Promise.resolve()
    expect([host.received, frontend.received]).toEqual([[[[id], 1]], []])
  })

  it('have the payload with which they were emitted, in the codec of the host', async () => {
    const router = new EventRouter()
    const received: unknown[] = []
    router.hold('msgpack')
    const emitted = { n: 1, bytes: new Uint8Array([1]) }
    router.emit('e', emitted)
    emitted.n = emitted.bytes[0] = 2
    router.listen('e', any, {
      label: undefined,
      deliver: (_, payload) => void received.push(codecs.msgpack.decode(payload.encode('msgpack') as Uint8Array)),
    })
    await Promise.resolve()
    expect(received).toEqual([{ n: 1, bytes: new Uint8Array([1]) }])
  })

  it('are bounded by bytes: the oldest are dropped', async () => {
    const router = new EventRouter()
    const { received, subscriber } = createSubscriber(undefined)
    router.hold('json')
    const text = 'x'.repeat(MAX_EVENT_QUEUE_BYTES / 4)
    for (let i = 0; i < 5; i++) router.emit('e', text + String(i))
    router.emit('e', new Uint8Array(1000))
    router.listen('e', any, subscriber)
    await Promise.resolve()
    expect(received).toHaveLength(4)
    expect(router.release()).toBe(2)
  })
})
