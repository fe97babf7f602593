// Checks of @tauri-apps/api/event: which listeners get an event, and how listeners are removed.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { invoke, transformCallback } from '@tauri-apps/api/core'
import { TauriEvent, emit, emitTo, listen, once } from '@tauri-apps/api/event'

const internals = () => window.__TAURI_INTERNALS__
/** Resolves when all earlier events have arrived, because each link keeps its order. */
const settle = () => invoke('nothing')

/** Returns a function that returns the callbacks added since. Callbacks of earlier checks can end at any time, such as those of channels. */
function watchCallbacks() {
  const earlier = new Set(internals().callbacks.keys())
  return () => [...internals().callbacks.keys()].filter(id => !earlier.has(id))
}

const KINDS = ['Any', 'App', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']
const target = (kind, label = 'main') => (kind === 'Any' || kind === 'App' ? { kind } : { kind, label })

/** Adds a listener of each kind, and returns the kinds that get the event of `send`. */
async function getReceivers(event, send, label) {
  const received = []
  const unlisten = await Promise.all(
    KINDS.map(kind => listen(event, () => received.push(kind), { target: target(kind, label) })),
  )
  await send()
  await settle()
  for (const stop of unlisten) stop()
  return KINDS.flatMap(kind => received.filter(each => each === kind))
}

export const checks = {
  'listen, emit, unlisten': async () => {
    const received = []
    const unlisten = await listen('news', event => received.push(event))
    await emit('news', { a: 1 })
    await emit('news')
    await emit('news', 'text')
    await settle()
    deepEqual(
      received.map(({ event, payload }) => [event, payload]),
      [
        ['news', { a: 1 }],
        ['news', null],
        ['news', 'text'],
      ],
    )
    ok(received.every(({ id }) => Number.isInteger(id) && id === received[0].id))
    unlisten()
    await emit('news', 'more')
    await settle()
    equal(received.length, 3)
  },

  'emit resolves with nothing': async () => {
    equal(await emit('no-listener', 1), undefined)
    equal(await invoke('plugin:event|emit', { event: 'no-listener' }), null)
    equal(await invoke('plugin:event|emit_to', { event: 'no-listener', target: { kind: 'Any' } }), null)
  },

  'each listener has its own id and its own event': async () => {
    const events = []
    const unlisten = await Promise.all([1, 2, 3].map(() => listen('shared', event => events.push(event))))
    await emit('shared', {})
    await settle()
    equal(new Set(events.map(({ id }) => id)).size, 3)
    equal(new Set(events).size, 3)
    for (const stop of unlisten) stop()
  },

  'once receives one event': async () => {
    const received = []
    await once('one-time', ({ payload }) => received.push(payload))
    await Promise.all([emit('one-time', 1), emit('one-time', 2), emit('one-time', 3)])
    await settle()
    deepEqual(received, [1])
  },

  'events of core arrive with every kind of payload': async () => {
    const received = []
    const unlisten = await listen('from-core', ({ payload }) => received.push(payload))
    for (const payload of [1, 'a', null, [1], { a: { b: 1 } }]) {
      await invoke('emit_from_core', { event: 'from-core', payload })
    }
    await invoke('emit_from_core', { event: 'from-core', target: 'main', payload: 'to main' })
    await invoke('emit_from_core', { event: 'from-core', target: 'other', payload: 'to another' })
    await settle()
    deepEqual(received, [1, 'a', null, [1], { a: { b: 1 } }, 'to main'])
    unlisten()
  },

  'emit reaches listeners with every target': async () => {
    deepEqual(await getReceivers('emit-all', () => emit('emit-all')), KINDS)
  },

  "emitTo reaches the listeners of Tauri's table": async () => {
    const getKinds = kind => getReceivers(`to-${kind}`, () => emitTo(target(kind), `to-${kind}`))
    deepEqual(await getKinds('Any'), KINDS)
    deepEqual(await getKinds('App'), ['Any', 'App'])
    deepEqual(await getKinds('AnyLabel'), ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow'])
    deepEqual(await getKinds('Window'), ['Any', 'AnyLabel', 'Window'])
    deepEqual(await getKinds('Webview'), ['Any', 'AnyLabel', 'Webview'])
    deepEqual(await getKinds('WebviewWindow'), ['Any', 'AnyLabel', 'WebviewWindow'])
    const text = await getReceivers('to-text', () => emitTo('main', 'to-text'))
    deepEqual(text, ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow'])
  },

  'an event to another label is not received': async () => {
    deepEqual(await getReceivers('elsewhere', () => emitTo('other', 'elsewhere')), [])
    deepEqual(await getReceivers('hijacked', () => emitTo('other', 'hijacked'), 'other'), [])
  },

  'the target of listen can be a label': async () => {
    const received = []
    const unlisten = await listen('labelled', ({ payload }) => received.push(payload), { target: 'main' })
    await emitTo({ kind: 'Window', label: 'main' }, 'labelled', 1)
    await emitTo({ kind: 'App' }, 'labelled', 2)
    await settle()
    deepEqual(received, [1])
    unlisten()
  },

  'names are restricted as in Tauri': async () => {
    for (const name of ['a-b/c:d_e9', 'äß中', '', TauriEvent.WINDOW_FOCUS]) {
      const received = []
      const unlisten = await listen(name, () => received.push(name))
      await emit(name)
      await settle()
      deepEqual(received, [name])
      unlisten()
    }
    const text = command =>
      `invalid args \`event\` for command \`${command}\`: Event name must include only alphanumeric characters, \`-\`, \`/\`, \`:\` and \`_\`.`
    const getAdded = watchCallbacks()
    for (const name of ['a b', 'a.b', 'a\n', 7]) {
      await rejects(
        listen(name, () => {}),
        error => error === text('listen'),
      )
      await rejects(emit(name), error => error === text('emit'))
      await rejects(emitTo('main', name), error => error === text('emit_to'))
    }
    await rejects(invoke('plugin:event|listen', { handler: 1 }), error => error.endsWith('missing required key event'))
    await rejects(invoke('plugin:event|listen', { event: 'a' }), error =>
      error.endsWith('missing required key handler'),
    )
    await rejects(
      listen('a', () => {}, { target: { kind: 'Nothing' } }),
      error => error.startsWith('invalid args `target`'),
    )
    deepEqual(getAdded(), [])
  },

  'unregisterListener ends delivery immediately, and ignores unknown ids': async () => {
    const { unregisterListener } = window.__TAURI_EVENT_PLUGIN_INTERNALS__
    const received = []
    const getAdded = watchCallbacks()
    const handler = transformCallback(({ payload }) => received.push(payload))
    const eventId = await invoke('plugin:event|listen', { event: 'sync', target: { kind: 'Any' }, handler })
    ok(Number.isInteger(eventId))
    unregisterListener('sync', eventId + 1000)
    unregisterListener('another', eventId)
    await emit('sync', 1)
    await settle()
    unregisterListener('sync', eventId)
    unregisterListener('sync', eventId)
    deepEqual(getAdded(), [])
    // Core still sends the event. The missing callback causes no warning.
    const { warn } = console
    console.warn = text => received.push(text)
    await emit('sync', 2)
    await settle()
    console.warn = warn
    deepEqual(received, [1])
    equal(await invoke('plugin:event|unlisten', { event: 'sync', eventId }), null)
  },

  'two listeners can share a callback': async () => {
    const received = []
    const handler = transformCallback(({ event }) => received.push(event))
    const listening = ['not a name', 'first', 'second'].map(event => invoke('plugin:event|listen', { event, handler }))
    const [refused, first, second] = (await Promise.allSettled(listening)).map(({ value }) => value)
    equal(refused, undefined)
    await invoke('plugin:event|unlisten', { event: 'first', eventId: first })
    await emit('first')
    await emit('second')
    await settle()
    deepEqual(received, ['second'])
    await invoke('plugin:event|unlisten', { event: 'second', eventId: second })
    equal(internals().callbacks.has(handler), false)
  },

  'a thousand removed listeners leave no callbacks': async () => {
    const getAdded = watchCallbacks()
    const unlisten = await Promise.all(Array.from({ length: 1000 }, () => listen('many', () => {})))
    equal(getAdded().length, 1000)
    for (const stop of unlisten) stop()
    deepEqual(getAdded(), [])
  },
}
