// Checks of @tauri-apps/api/core: what is sent, and what comes back.
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { SERIALIZE_TO_IPC_FN, convertFileSrc, invoke, isTauri, transformCallback } from '@tauri-apps/api/core'

const json = async (value, options) => JSON.parse((await invoke('received', value, options)).json)
const rejection = promise =>
  promise.then(
    () => Promise.reject(new Error('It did not reject')),
    error => error,
  )

class Id {
  constructor(id) {
    this.id = id
  }

  [SERIALIZE_TO_IPC_FN]() {
    return { Number: this.id }
  }
}

export const checks = {
  'named arguments and a result': async () => {
    deepEqual(await invoke('echo', { a: 1, list: [true, null, 'ä'], deep: { b: { c: '' } } }), {
      a: 1,
      list: [true, null, 'ä'],
      deep: { b: { c: '' } },
    })
    deepEqual(await invoke('echo'), {})
  },

  'values as JSON has them': async () => {
    deepEqual(await json({ a: undefined, b: [undefined], d: -0 }), { b: [null], d: 0 })
    deepEqual(await json({ date: new Date(0) }), { date: '1970-01-01T00:00:00.000Z' })
    deepEqual(await json({ url: new URL('http://a/b'), boxed: Object(1), own: { toJSON: key => `own ${key}` } }), {
      url: 'http://a/b',
      boxed: 1,
      own: 'own own',
    })
  },

  'maps and bytes inside the arguments': async () => {
    const map = new Map([
      ['a', 1],
      [2, new Map([['c', new Uint8Array([1])]])],
    ])
    deepEqual(await json({ map }), { map: { a: 1, 2: { c: [1] } } })
    deepEqual(await json(new Map([['a', 1]])), { a: 1 })
    const bytes = new Uint8Array([1, 2, 255])
    deepEqual(await json({ bytes, buffer: bytes.buffer, deep: { list: [bytes] } }), {
      bytes: [1, 2, 255],
      buffer: [1, 2, 255],
      deep: { list: [[1, 2, 255]] },
    })
  },

  'in development, values that JSON would change reject with a TypeError that names them': async () => {
    const values = { set: new Set([1]), regexp: /a/, error: new Error('x'), floats: new Float32Array([1.5]) }
    for (const [name, value] of Object.entries({ ...values, node: Buffer.from([1, 2]) })) {
      await rejects(invoke('received', { deep: [{ [name]: value }] }), ({ constructor, message }) => {
        equal(constructor, TypeError)
        match(message, new RegExp(`^deep\\[0\\]\\.${name} is a value of type \\w+, which JSON cannot represent: `))
        return true
      })
    }
    for (const value of [NaN, -Infinity, () => 1, Symbol('s')])
      await rejects(invoke('received', { list: [value] }), /^TypeError: list\[0\] is .+, which JSON cannot represent: /)
  },

  SERIALIZE_TO_IPC_FN: async () => {
    deepEqual(await json({ id: new Id(7), list: [new Id(8)] }), { id: { Number: 7 }, list: [{ Number: 8 }] })
    deepEqual(await json(new Id(9)), { Number: 9 })
    deepEqual(await json({ map: new Map([['id', new Id(1)]]) }), { map: { id: { Number: 1 } } })
  },

  'a BigInt and a cycle reject with a TypeError': async () => {
    await rejects(invoke('echo', { big: 1n }), TypeError)
    const cycle = { a: [] }
    cycle.a.push(cycle)
    await rejects(invoke('echo', cycle), TypeError)
    const broken = {
      get a() {
        throw new RangeError('no')
      },
    }
    await rejects(invoke('echo', broken), RangeError)
  },

  'bytes as the whole payload': async () => {
    const bytes = async payload => (await invoke('received', payload)).bytes
    deepEqual(await bytes(new Uint8Array([1, 2, 255])), [1, 2, 255])
    deepEqual(await bytes(new Uint8Array([1, 2, 3]).buffer), [1, 2, 3])
    deepEqual(await bytes(new Uint8Array([0, 1, 2, 3]).subarray(1, 3)), [1, 2])
    deepEqual(await bytes(new DataView(new Uint8Array([4, 5, 6]).buffer, 1)), [5, 6])
    deepEqual(await bytes(new Uint16Array([1, 2])), [1, 0, 2, 0])
    deepEqual(await bytes([1, 2, 255]), [1, 2, 255])
    deepEqual(await bytes(new Uint8Array(0)), [])
    const large = await bytes(new Uint8Array(100_000).fill(3))
    equal(large.length, 100_000)
    await rejects(invoke('received', ['a']), TypeError)
    await rejects(invoke('received', [1, 256]), TypeError)
  },

  headers: async () => {
    const headers = async init => (await invoke('received', {}, { headers: init })).headers
    deepEqual(await headers({ 'X-One': '1', two: 'zwei' }), { 'x-one': '1', two: 'zwei' })
    deepEqual(await headers([['a', 'b']]), { a: 'b' })
    deepEqual(await headers(new Headers({ a: 'b' })), { a: 'b' })
    deepEqual(await headers({ n: 1 }), { n: '1' })
    deepEqual(await headers({ 'Content-Type': 'text/html', 'Tauri-Callback': '1', 'Tauri-Invoke-Key': 'x', a: 'b' }), {
      a: 'b',
    })
    deepEqual(await headers(undefined), {})
    await rejects(invoke('echo', {}, { headers: { 'not a name': 'x' } }), TypeError)
    const raw = await invoke('received', new Uint8Array([1]), { headers: { path: 'a%20b' } })
    deepEqual([raw.bytes, raw.headers], [[1], { path: 'a%20b' }])
  },

  results: async () => {
    const bytes = await invoke('give_bytes', { size: 5 })
    ok(bytes instanceof ArrayBuffer)
    deepEqual(new Uint8Array(bytes), new Uint8Array(5).fill(7))
    const large = await invoke('give_bytes', { size: 200_000 })
    ok(large instanceof ArrayBuffer)
    equal(large.byteLength, 200_000)
    equal((await invoke('give_bytes', { size: 0 })).byteLength, 0)
    equal(await invoke('nothing'), null)
    for (const value of [0, '', false, null, [], {}, 'text']) deepEqual(await invoke('give', { value }), value)
  },

  'rejections are plain values': async () => {
    equal(await rejection(invoke('fail')), 'it broke')
    for (const value of ['text', 7, null, false, [1], { kind: 'NotFound', id: 7 }]) {
      deepEqual(await rejection(invoke('fail_with', { value })), value)
    }
    equal(await rejection(invoke('fail_with', {})), null)
  },

  'what is not there, or not allowed, rejects with a text': async () => {
    equal(typeof (await rejection(invoke('no_such_command'))), 'string')
    equal(typeof (await rejection(invoke('plugin:no-such|command'))), 'string')
    equal(typeof (await rejection(invoke(''))), 'string')
    equal(typeof (await rejection(invoke(undefined))), 'string')
    equal(typeof (await rejection(invoke('echo', 'text'))), 'string')
    equal(typeof (await rejection(invoke('$/cancelRequest', { id: 1 }))), 'string')
  },

  'a signal and a deadline': async () => {
    const before = (await invoke('aborted')).length
    const cancel = new AbortController()
    const call = rejection(invoke('never', {}, { signal: cancel.signal }))
    cancel.abort()
    equal(typeof (await call), 'string')
    equal(typeof (await rejection(invoke('never', {}, { timeout: 5 }))), 'string')
    while ((await invoke('aborted')).length < before + 2) await new Promise(resolve => setTimeout(resolve, 5))
  },

  'isTauri, convertFileSrc': async () => {
    equal(isTauri(), true)
    const windows = process.platform === 'win32'
    equal(
      convertFileSrc('/a b/ä.png'),
      `${windows ? 'http://asset.localhost/' : 'asset://localhost/'}${encodeURIComponent('/a b/ä.png')}`,
    )
    equal(convertFileSrc('x', 'own'), windows ? 'http://own.localhost/x' : 'own://localhost/x')
  },

  'transformCallback and its runtime': async () => {
    const internals = window.__TAURI_INTERNALS__
    const received = []
    const id = transformCallback(value => received.push(value))
    const once = transformCallback(value => received.push(['once', value]), true)
    ok(Number.isInteger(id) && id >= 0 && id < 2 ** 32 && id !== once)
    equal(internals.callbacks.has(id), true)
    internals.runCallback(id, 1)
    internals.runCallback(id, 2)
    internals.runCallback(once, 3)
    equal(internals.callbacks.has(once), false)
    internals.unregisterCallback(id)
    deepEqual(received, [1, 2, ['once', 3]])
    const { warn } = console
    const warned = []
    console.warn = text => warned.push(text)
    try {
      internals.runCallback(id, 4)
      internals.runCallback(once, 5)
    } finally {
      console.warn = warn
    }
    equal(warned.length, 2)
    ok(warned[0].startsWith(`[TAURI] Couldn't find callback id ${id}. This might happen when the app is reloaded`))
    deepEqual(received, [1, 2, ['once', 3]])
  },

  'members of __TAURI_INTERNALS__ cannot be replaced': async () => {
    const internals = window.__TAURI_INTERNALS__
    for (const name of Object.getOwnPropertyNames(internals)) {
      const { writable, configurable } = Object.getOwnPropertyDescriptor(internals, name)
      deepEqual([name, writable, configurable], [name, false, false])
    }
    await rejects(async () => void (window.__TAURI_INTERNALS__ = {}), TypeError)
  },
}
