// Tauri's table of targets: which listeners an event reaches, by what they listen to and where they live.
import type { EventTarget } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { createApp } from '../core/create-app.js'
import type { Subscriber } from './delivery.js'
import { tellDestroyed } from './frontend-events.js'
import { EventRouter } from './router.js'

const LISTENERS: readonly EventTarget[] = [
  { kind: 'Any' },
  { kind: 'App' },
  ...(['AnyLabel', 'Window', 'Webview', 'WebviewWindow'] as const).map(kind => ({ kind, label: 'a' })),
]

/** Homes that write down which of their listeners hear something. */
function setUp(label: string | undefined, targets: readonly EventTarget[] = LISTENERS) {
  const router = new EventRouter()
  const kinds = new Map<number, string>()
  let heard: (string | undefined)[] = []
  const home: Subscriber = { label, deliver: ({ ids }) => void heard.push(...ids.map(id => kinds.get(id))) }
  for (const target of targets) kinds.set(router.listen('e', target, home), target.kind)
  const taken = (): (string | undefined)[] => {
    const result = heard
    heard = []
    return result
  }
  return { router, home, taken }
}

describe.each<[EventTarget['kind'], string[]]>([
  ['Any', ['Any', 'App', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']],
  ['App', ['Any', 'App']],
  ['AnyLabel', ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']],
  ['Window', ['Any', 'AnyLabel', 'Window']],
  ['Webview', ['Any', 'AnyLabel', 'Webview']],
  ['WebviewWindow', ['Any', 'AnyLabel', 'WebviewWindow']],
])('emitTo %s', (kind, reached) => {
  const to = (label: string): EventTarget => (kind === 'Any' || kind === 'App' ? { kind } : { kind, label })

  it.each([
    ['the frontend of that label', 'a'],
    ['core and host', undefined],
  ])('reaches in %s', (_name, label) => {
    const { router, taken } = setUp(label)
    router.emitTo(to('a'), 'e', 1)
    expect(taken()).toEqual(reached)
  })

  it('of another label reaches what listens to anything, in core and host alone', () => {
    const [core, frontend] = [setUp(undefined), setUp('a')]
    const labelled = kind !== 'Any' && kind !== 'App'
    for (const { router } of [core, frontend]) router.emitTo(to('b'), 'e', 1)
    expect(core.taken()).toEqual(labelled ? ['Any'] : reached)
    expect(frontend.taken()).toEqual(labelled ? [] : reached)
  })
})

it('emit reaches all, whatever they listen to', () => {
  const { router, taken } = setUp('a')
  router.emit('e', 1)
  expect(taken()).toEqual(LISTENERS.map(({ kind }) => kind))
})

it('emitFilter asks for a frontend once for each listener, by its own label', () => {
  const { router, taken } = setUp('a')
  const app = createApp({
    call: undefined as never,
    router,
    getLog: () => undefined as never,
    resources: undefined as never,
    path: undefined as never,
  })
  const asked: EventTarget[] = []
  app.emitFilter('e', 1, target => asked.push(target) > 0)
  expect(taken()).toEqual(LISTENERS.map(({ kind }) => kind))
  expect(asked).toEqual(LISTENERS.map(() => ({ kind: 'WebviewWindow', label: 'a' })))
  app.emitFilter('e', 1, () => false)
  expect(taken()).toEqual([])
})

it('the end of a frontend is told to what listens to anything, and to its label', () => {
  const router = new EventRouter()
  const heard: string[] = []
  const home = (label: string | undefined, target: EventTarget): void => {
    const name = `${label ?? 'core'} ${target.kind}${'label' in target ? ` ${target.label}` : ''}`
    router.listen('tauri://destroyed', target, { label, deliver: () => void heard.push(name) })
  }
  for (const label of [undefined, 'b']) {
    home(label, { kind: 'Any' })
    home(label, { kind: 'App' })
    home(label, { kind: 'Window', label: 'a' })
    home(label, { kind: 'AnyLabel', label: 'b' })
  }
  tellDestroyed(router, 'a')
  expect(heard).toEqual(['core Any', 'core Window a', 'b Any', 'b Window a'])
})

it('ids are one row of numbers for the whole app, from 0', () => {
  const router = new EventRouter()
  const home = (label: string): Subscriber => ({ label, deliver: () => {} })
  const ids = ['a', 'b', 'a'].map(label => router.listen(label, { kind: 'Any' }, home(label)))
  expect(ids).toEqual([0, 1, 2])
})

it('listeners of a frontend that has gone are dropped', () => {
  const { router, home, taken } = setUp('a')
  router.dropHome(home)
  router.emit('e', 1)
  expect(taken()).toEqual([])
})
