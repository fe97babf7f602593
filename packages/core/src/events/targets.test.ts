// Tauri's table of targets: which listeners an event reaches, by their target and their subscriber.
import type { EventTarget } from '@sallyport/protocol/internal/message'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createApp, LocalListeners } from '../core-thread/create-app.js'
import { emitDestroyed, EventRouter, type Subscriber } from './router.js'

const LISTENERS: readonly EventTarget[] = [
  { kind: 'Any' },
  { kind: 'App' },
  ...(['AnyLabel', 'Window', 'Webview', 'WebviewWindow'] as const).map(kind => ({ kind, label: 'a' })),
]

/** Creates a subscriber that records which of its listeners receive an event. */
function setUp(label: string | undefined, targets: readonly EventTarget[] = LISTENERS) {
  const router = new EventRouter()
  const kinds = new Map<number, string>()
  let received: (string | undefined)[] = []
  const subscriber: Subscriber = { label, deliver: ({ ids }) => void received.push(...ids.map(id => kinds.get(id))) }
  for (const target of targets) kinds.set(router.listen('e', target, subscriber), target.kind)
  const takeReceived = (): (string | undefined)[] => {
    const result = received
    received = []
    return result
  }
  return { router, subscriber, takeReceived }
}

const REACHED: readonly [EventTarget['kind'], string[]][] = [
  ['Any', ['Any', 'App', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']],
  ['App', ['Any', 'App']],
  ['AnyLabel', ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']],
  ['Window', ['Any', 'AnyLabel', 'Window']],
  ['Webview', ['Any', 'AnyLabel', 'Webview']],
  ['WebviewWindow', ['Any', 'AnyLabel', 'WebviewWindow']],
]
const to = (kind: EventTarget['kind'], label: string): EventTarget =>
  kind === 'Any' || kind === 'App' ? { kind } : { kind, label }

it('emitTo reaches the listeners of its target, in a frontend of that label, core and host', () =>
  rows(REACHED)((kind, reached) => {
    for (const { router, takeReceived } of [setUp('a'), setUp(undefined)]) {
      router.emitTo(to(kind, 'a'), 'e', 1)
      expect(takeReceived()).toEqual(reached)
    }
  }))

it('emitTo another label reaches listeners to any target, in core and host only', () =>
  rows(REACHED)((kind, reached) => {
    const [core, frontend] = [setUp(undefined), setUp('a')]
    const hasLabel = kind !== 'Any' && kind !== 'App'
    for (const { router } of [core, frontend]) router.emitTo(to(kind, 'b'), 'e', 1)
    expect(core.takeReceived()).toEqual(hasLabel ? ['Any'] : reached)
    expect(frontend.takeReceived()).toEqual(hasLabel ? [] : reached)
  }))

it('emit reaches listeners to all targets', () => {
  const { router, takeReceived } = setUp('a')
  router.emit('e', 1)
  expect(takeReceived()).toEqual(LISTENERS.map(({ kind }) => kind))
})

it('emitFilter passes the label of the frontend to the filter once for each listener', () => {
  const { router, takeReceived } = setUp('a')
  const app = createApp({
    call: undefined as never,
    router,
    local: new LocalListeners(router),
    getLog: () => undefined as never,
    resources: undefined as never,
    path: undefined as never,
  })
  const filtered: EventTarget[] = []
  app.emitFilter('e', 1, target => filtered.push(target) > 0)
  expect(takeReceived()).toEqual(LISTENERS.map(({ kind }) => kind))
  expect(filtered).toEqual(LISTENERS.map(() => ({ kind: 'WebviewWindow', label: 'a' })))
  app.emitFilter('e', 1, () => false)
  expect(takeReceived()).toEqual([])
})

it('emitDestroyed reaches listeners to any target and to the label of the frontend', () => {
  const router = new EventRouter()
  const received: string[] = []
  const listen = (label: string | undefined, target: EventTarget): void => {
    const name = `${label ?? 'core'} ${target.kind}${'label' in target ? ` ${target.label}` : ''}`
    router.listen('tauri://destroyed', target, { label, deliver: () => void received.push(name) })
  }
  for (const label of [undefined, 'b']) {
    listen(label, { kind: 'Any' })
    listen(label, { kind: 'App' })
    listen(label, { kind: 'Window', label: 'a' })
    listen(label, { kind: 'AnyLabel', label: 'b' })
  }
  emitDestroyed(router, 'a')
  expect(received).toEqual(['core Any', 'core Window a', 'b Any', 'b Window a'])
})

it('listen returns ids that count up from 0 for all frontends together', () => {
  const router = new EventRouter()
  const createSubscriber = (label: string): Subscriber => ({ label, deliver: () => {} })
  const ids = ['a', 'b', 'a'].map(label => router.listen(label, { kind: 'Any' }, createSubscriber(label)))
  expect(ids).toEqual([0, 1, 2])
})

it('dropSubscriber removes all listeners of a subscriber', () => {
  const { router, subscriber, takeReceived } = setUp('a')
  router.dropSubscriber(subscriber)
  router.emit('e', 1)
  expect(takeReceived()).toEqual([])
})
