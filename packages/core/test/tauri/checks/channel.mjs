// Checks of Channel, addPluginListener and Resource of @tauri-apps/api/core.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { Channel, Resource, addPluginListener, invoke, transformCallback } from '@tauri-apps/api/core'
import { emit, listen } from '@tauri-apps/api/event'

const callbacks = () => window.__TAURI_INTERNALS__.callbacks

async function until(condition) {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 2))
}

/** Creates a channel, and a list of the messages that it receives. */
function listeningChannel() {
  const got = []
  return { got, channel: new Channel(message => got.push(message)) }
}

/** An object that is serialized like a channel of the package. */
const channelWithId = id => ({ toJSON: () => `__CHANNEL__:${id}` })

/** Creates a channel that records raw messages. The Channel of the package hides the end. */
function rawChannel() {
  const received = []
  const id = transformCallback(data => {
    received.push(data)
    if ('end' in data) window.__TAURI_INTERNALS__.unregisterCallback(id)
  })
  return { received, id, channel: channelWithId(id) }
}

export const checks = {
  'a resource can be read until it is closed': async () => {
    const resource = new Resource(await invoke('open_resource', { text: 'kept' }))
    equal(await invoke('read_resource', { rid: resource.rid }), 'kept')
    await resource.close()
    await rejects(invoke('read_resource', { rid: resource.rid }), error => /is invalid/.test(error))
    await rejects(resource.close(), error => error === `The resource id ${resource.rid} is invalid.`)
    const disposed = new Resource(await invoke('open_resource', { text: 'disposed' }))
    await disposed[Symbol.asyncDispose]()
    await rejects(invoke('read_resource', { rid: disposed.rid }), error => /is invalid/.test(error))
  },

  'messages arrive in order, with back-pressure': async () => {
    const { got, channel } = listeningChannel()
    equal(await invoke('count', { to: 1000, channel, end: true }), 1000)
    deepEqual(
      got,
      Array.from({ length: 1000 }, (_, i) => i),
    )
    await until(() => !callbacks().has(channel.id))
  },

  'messages and the end are numbered': async () => {
    const { received, channel } = rawChannel()
    await invoke('count', { to: 3, channel, end: true })
    deepEqual(received, [
      { message: 0, index: 0, id: 0 },
      { message: 1, index: 1, id: 1 },
      { message: 2, index: 2, id: 2 },
      { end: true, index: 3, id: -1 },
    ])
  },

  'bytes arrive as an ArrayBuffer': async () => {
    const { got, channel } = listeningChannel()
    await invoke('count', { to: 2, channel, bytes: true, end: true })
    ok(got.every(message => message instanceof ArrayBuffer))
    deepEqual(
      got.map(message => [...new Uint8Array(message)]),
      [
        [0, 1, 2],
        [1, 1, 2],
      ],
    )
  },

  'onmessage can be replaced': async () => {
    const channel = new Channel()
    const got = []
    channel.onmessage = message => got.push(message)
    await invoke('count', { to: 2, channel, end: true })
    deepEqual(got, [0, 1])
  },

  'a call that fails leaves no callback behind': async () => {
    const { got, channel } = listeningChannel()
    await rejects(invoke('count', { to: 2, channel, fail: true }), error => error === 'failed meanwhile')
    deepEqual(got, [0, 1])
    await until(() => !callbacks().has(channel.id))
    const unsent = listeningChannel().channel
    await rejects(invoke('no_such_command', { channel: unsent }), error => typeof error === 'string')
    await until(() => !callbacks().has(unsent.id))
    const wrong = listeningChannel().channel
    await rejects(invoke('', { channel: wrong }), error => typeof error === 'string')
    await until(() => !callbacks().has(wrong.id))
  },

  'a channel can be passed to two calls': async () => {
    const { received, channel } = rawChannel()
    await Promise.all([invoke('count', { to: 2, channel }), invoke('count', { to: 2, channel })])
    await invoke('count', { to: 1, channel, end: true })
    deepEqual(
      received.map(({ index }) => index),
      [0, 1, 2, 3, 4, 5],
    )
    ok(received.at(-1).end)
  },

  'a call can have two channels': async () => {
    const [first, second] = [listeningChannel(), listeningChannel()]
    const args = { channel: first.channel, second: second.channel, text: '__CHANNEL__' }
    deepEqual(await invoke('names', args), ['channel', 'second', 'text'])
    ok(first.channel.id !== second.channel.id)
  },

  'a channel anywhere else is refused with its path': async () => {
    const channel = new Channel()
    const isRefused =
      (path, cure = 'pass it as an argument of its own') =>
      error =>
        String(error).includes(`${path} is a Channel: ${cure}`)
    await rejects(invoke('echo', { options: { onEvent: channel } }), isRefused('options.onEvent'))
    await rejects(invoke('echo', { channels: [new Channel(), channel] }), isRefused('channels[0]'))
    const unlisten = await listen('news', () => {})
    await rejects(emit('news', { channel }), isRefused('payload.channel'))
    await rejects(emit('news', channel), isRefused('it'))
    unlisten()
    // As a result.
    await rejects(invoke('echo', { channel }), isRefused('channel', 'yield its values instead'))
  },

  'a string that looks like a channel is a string': async () => {
    const { channel } = listeningChannel()
    const texts = { text: `__CHANNEL__:${channel.id}`, other: '__CHANNEL__:7' }
    deepEqual(await invoke('echo', texts), texts)
    deepEqual(await invoke('give', { value: [texts], channel }), [texts])
  },

  'a channel whose callback was removed is closed': async () => {
    const before = (await invoke('ended')).length
    const { got, channel } = listeningChannel()
    const counting = invoke('count_for_ever', { channel })
    await until(() => got.length > 2)
    channel.cleanupCallback()
    equal(await counting, null)
    deepEqual((await invoke('ended')).slice(before), ['Disconnected'])
    const { length } = got
    await invoke('nothing')
    equal(got.length, length)
  },

  'a channel with an unknown id is closed by its first message': async () => {
    const { warn } = console
    const warned = []
    console.warn = text => warned.push(text)
    equal(await invoke('count_for_ever', { channel: channelWithId(4_000_000_000) }), null)
    console.warn = warn
    equal(warned.length, 1)
  },

  addPluginListener: async () => {
    const got = []
    const listener = await addPluginListener('probe', 'scan', payload => got.push(payload))
    await invoke('plugin:probe|trigger', { event: 'scan', payload: { value: 1 } })
    await until(() => got.length === 1)
    await listener.unregister()
    await invoke('plugin:probe|trigger', { event: 'scan', payload: { value: 2 } })
    await invoke('nothing')
    deepEqual(got, [{ value: 1 }])
  },

  'addPluginListener falls back to the older name': async () => {
    const got = []
    const listener = await addPluginListener('legacy', 'scan', payload => got.push(payload))
    await invoke('plugin:legacy|trigger', { event: 'scan', payload: 1 })
    await until(() => got.length === 1)
    await listener.unregister()
    deepEqual(got, [1])
  },
}
