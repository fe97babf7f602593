// Checks of @tauri-apps/api/event: who hears what, and what takes a listener away.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { Channel, invoke, transformCallback } from '@tauri-apps/api/core'
import { TauriEvent, emit, emitTo, listen, once } from '@tauri-apps/api/event'

const internals = () => window.__TAURI_INTERNALS__
/** What was emitted before this is answered has come: each link keeps its order. */
const settle = () => invoke('nothing')

const KINDS = ['Any', 'App', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow']
const target = (kind, label = 'main') => (kind === 'Any' || kind === 'App' ? { kind } : { kind, label })

/** Listeners of each kind, and which of them hear what `send` sends. */
async function whoHears(event, send, label) {
  const heard = []
  const unlisten = await Promise.all(
    KINDS.map(kind => listen(event, () => heard.push(kind), { target: target(kind, label) })),
  )
  await send()
  await settle()
  for (const one of unlisten) one()
  return KINDS.flatMap(kind => heard.filter(one => one === kind))
}

export const checks = {
  'listen, emit, unlisten': async () => {
    const heard = []
    const unlisten = await listen('news', event => heard.push(event))
    await emit('news', { a: 1 })
    await emit('news')
    await emit('news', 'text')
    await settle()
    deepEqual(
      heard.map(({ event, payload }) => [event, payload]),
      [
        ['news', { a: 1 }],
        ['news', null],
        ['news', 'text'],
      ],
    )
    ok(heard.every(({ id }) => Number.isInteger(id) && id === heard[0].id))
    unlisten()
    await emit('news', 'more')
    await settle()
    equal(heard.length, 3)
  },

  'emit gives nothing, and is answered': async () => {
    equal(await emit('nobody-hears', 1), undefined)
    equal(await invoke('plugin:event|emit', { event: 'nobody-hears' }), null)
    equal(await invoke('plugin:event|emit_to', { event: 'nobody-hears', target: { kind: 'Any' } }), null)
  },

  'each listener has its own id and its own event': async () => {
    const events = []
    const unlisten = await Promise.all([1, 2, 3].map(() => listen('shared', event => events.push(event))))
    await emit('shared', {})
    await settle()
    equal(new Set(events.map(({ id }) => id)).size, 3)
    equal(new Set(events).size, 3)
    for (const one of unlisten) one()
  },

  once: async () => {
    const heard = []
    await once('one-time', ({ payload }) => heard.push(payload))
    await Promise.all([emit('one-time', 1), emit('one-time', 2), emit('one-time', 3)])
    await settle()
    deepEqual(heard, [1])
  },

  'from core, with every payload': async () => {
    const heard = []
    const unlisten = await listen('from-core', ({ payload }) => heard.push(payload))
    for (const payload of [1, 'a', null, [1], { a: { b: 1 } }]) {
      await invoke('emit_from_core', { event: 'from-core', payload })
    }
    await invoke('emit_from_core', { event: 'from-core', target: 'main', payload: 'to main' })
    await invoke('emit_from_core', { event: 'from-core', target: 'other', payload: 'to another' })
    await settle()
    deepEqual(heard, [1, 'a', null, [1], { a: { b: 1 } }, 'to main'])
    unlisten()
  },

  'emit reaches listeners with every target': async () => {
    deepEqual(await whoHears('emit-all', () => emit('emit-all')), KINDS)
  },

  'emitTo reaches those of Tauri’s table': async () => {
    const hears = kind => whoHears(`to-${kind}`, () => emitTo(target(kind), `to-${kind}`))
    deepEqual(await hears('Any'), KINDS)
    deepEqual(await hears('App'), ['Any', 'App'])
    deepEqual(await hears('AnyLabel'), ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow'])
    deepEqual(await hears('Window'), ['Any', 'AnyLabel', 'Window'])
    deepEqual(await hears('Webview'), ['Any', 'AnyLabel', 'Webview'])
    deepEqual(await hears('WebviewWindow'), ['Any', 'AnyLabel', 'WebviewWindow'])
    const text = await whoHears('to-text', () => emitTo('main', 'to-text'))
    deepEqual(text, ['Any', 'AnyLabel', 'Window', 'Webview', 'WebviewWindow'])
  },

  'what is addressed to another label is not heard': async () => {
    deepEqual(await whoHears('elsewhere', () => emitTo('other', 'elsewhere')), [])
    deepEqual(await whoHears('hijacked', () => emitTo('other', 'hijacked'), 'other'), [])
  },

  'a label as the target of listen': async () => {
    const heard = []
    const unlisten = await listen('labelled', ({ payload }) => heard.push(payload), { target: 'main' })
    await emitTo({ kind: 'Window', label: 'main' }, 'labelled', 1)
    await emitTo({ kind: 'App' }, 'labelled', 2)
    await settle()
    deepEqual(heard, [1])
    unlisten()
  },

  names: async () => {
    for (const name of ['a-b/c:d_e9', 'äß中', '', TauriEvent.WINDOW_FOCUS]) {
      const heard = []
      const unlisten = await listen(name, () => heard.push(name))
      await emit(name)
      await settle()
      deepEqual(heard, [name])
      unlisten()
    }
    const text = command =>
      `invalid args \`event\` for command \`${command}\`: Event name must include only alphanumeric characters, \`-\`, \`/\`, \`:\` and \`_\`.`
    const before = internals().callbacks.size
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
    equal(internals().callbacks.size, before)
  },

  'unregisterListener ends delivery at once, and passes over ids that it does not know': async () => {
    const { unregisterListener } = window.__TAURI_EVENT_PLUGIN_INTERNALS__
    const heard = []
    const before = internals().callbacks.size
    const handler = transformCallback(({ payload }) => heard.push(payload))
    const eventId = await invoke('plugin:event|listen', { event: 'sync', target: { kind: 'Any' }, handler })
    ok(Number.isInteger(eventId))
    unregisterListener('sync', eventId + 1000)
    unregisterListener('another', eventId)
    await emit('sync', 1)
    await settle()
    unregisterListener('sync', eventId)
    unregisterListener('sync', eventId)
    equal(internals().callbacks.size, before)
    // Core still sends it, and nobody is asked for a callback that is gone.
    const { warn } = console
    console.warn = text => heard.push(text)
    await emit('sync', 2)
    await settle()
    console.warn = warn
    deepEqual(heard, [1])
    equal(await invoke('plugin:event|unlisten', { event: 'sync', eventId }), null)
  },

  'one callback of two listeners': async () => {
    const heard = []
    const handler = transformCallback(({ event }) => heard.push(event))
    const listening = ['not a name', 'one', 'two'].map(event => invoke('plugin:event|listen', { event, handler }))
    const [refused, one, two] = (await Promise.allSettled(listening)).map(({ value }) => value)
    equal(refused, undefined)
    await invoke('plugin:event|unlisten', { event: 'one', eventId: one })
    await emit('one')
    await emit('two')
    await settle()
    deepEqual(heard, ['two'])
    await invoke('plugin:event|unlisten', { event: 'two', eventId: two })
    equal(internals().callbacks.has(handler), false)
  },

  'nothing is left of a thousand listeners': async () => {
    const before = internals().callbacks.size
    const unlisten = await Promise.all(Array.from({ length: 1000 }, () => listen('many', () => {})))
    for (const one of unlisten) one()
    equal(internals().callbacks.size, before)
  },

  'a channel in an event is its text': async () => {
    const channel = new Channel()
    const heard = []
    await once('with-channel', ({ payload }) => heard.push(payload))
    await emit('with-channel', { channel })
    await settle()
    deepEqual(heard, [{ channel: `__CHANNEL__:${channel.id}` }])
  },
}
