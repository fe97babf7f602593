// Ways from a running hook to Node and to the gate: by what it is shown, by the functions it is called back with, and by
// what Node's own functions throw. None leads to a Function that sees Node, nor to an object that the gate would share.
import { codecs, FRAME_KIND } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { call, setUp, turn } from '../../test/gate.js'
import { sandboxed } from '../../test/sandboxed.js'

/** What a hook finds, as its log has it; it passes its message all the same. */
async function find(expression: string): Promise<string[]> {
  const { fn, logs } = sandboxed(`function (message) {
    const reach = value => {
      if (Object(value) !== value) return
      const found = []
      for (let at = value; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
        for (const key of Reflect.ownKeys(at)) {
          const { get, set, value: own } = Object.getOwnPropertyDescriptor(at, key)
          for (const one of [get, set, own]) if (typeof one === 'function') found.push(one)
        }
        if (at !== value && !Object.isFrozen(at)) console.log('not frozen')
      }
      if (typeof value === 'function') found.push(value)
      for (const one of found) {
        try {
          const made = one.constructor.constructor('return typeof process + typeof require')()
          if (made !== 'undefinedundefined') console.log(made)
        } catch {}
        try {
          const made = one.constructor('return typeof process + typeof require')()
          if (made !== 'undefinedundefined') console.log(made)
        } catch {}
      }
    }
    try { ${expression} } catch (error) { console.log('failed', error) }
    return message
  }`)
  const { outside, sealed } = setUp(fn)
  const message = call(1, 'm', { text: 'x', list: [1], bytes: new Uint8Array(2), when: new Date(0) })
  outside.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(message) as Uint8Array })
  await turn()
  expect(sealed).toEqual([message])
  return logs
}

const thrownBy = (expression: string): string => `try { ${expression} } catch (error) { reach(error) }`

describe('nothing of Node is found', () => {
  test.each<[from: string, expression: string]>([
    ['the message', 'reach(message); for (const value of Object.values(message)) reach(value)'],
    ['its payload', 'for (const value of Object.values(message.payload)) reach(value)'],
    ['the memory of its bytes', 'reach(message.payload.bytes.buffer)'],
    ['`this`', 'if (this !== window) console.log("another this")'],
    ['its arguments', 'reach(arguments)'],
    ['console, confirm', 'for (const one of [confirm, ...Object.values(console)]) reach(one)'],
    ['an error of V8', thrownBy('null.x')],
    ['an overflow', thrownBy('(function f() { f() })()')],
    ['JSON', thrownBy('JSON.parse("{")')],
    ['an unknown encoding', thrownBy('new TextDecoder("none")')],
    ['invalid bytes', thrownBy('new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(0xff))')],
    ['a wrong argument', thrownBy('new TextDecoder().decode(1)')],
    ['a wrong this', thrownBy('Reflect.get(TextDecoder.prototype, "encoding", {})')],
    ['a wrong this of an encoder', thrownBy('TextEncoder.prototype.encode.call({}, "x")')],
    ['a wrong target of an encoder', thrownBy('new TextEncoder().encodeInto("x", 1)')],
    ['a frozen object', thrownBy('Object.prototype.x = 1')],
    ['a promise', 'reach(Promise.resolve(1)); reach((async () => {})())'],
  ])('from %s', async (_from, expression) => expect(await find(expression)).toEqual([]))

  test('from the functions that a thenable is called with', async () => {
    const { fn, logs } = sandboxed(`message => ({
      then(resolve, reject) {
        for (const one of [resolve, reject]) {
          for (const make of [() => one.constructor, () => one.constructor.constructor]) {
            try { console.log(make()('return typeof process')()) } catch {}
          }
          one.caller?.call()
        }
        resolve(message)
      },
    })`)
    const { outside, sealed } = setUp(fn)
    outside.send({ kind: FRAME_KIND.json, body: JSON.stringify(call(1)) })
    await turn()
    expect(sealed).toHaveLength(1)
    expect(logs.filter(text => text !== 'undefined')).toEqual([])
  })

  test('a fresh copy of bytes: no memory behind or before them', async () => {
    const text = 'const { bytes } = message.payload; console.log(bytes.buffer.byteLength, bytes.byteOffset)'
    expect(await find(text)).toEqual(['2 0'])
  })
})

test.each(['JSON', 'Object', 'Promise', 'Reflect', 'Uint8Array', 'TextEncoder', 'globalThis'])(
  '%s stays what it is for the gate, whatever a hook assigns',
  async name => {
    const text = `try { window.${name} = null } catch {} try { ${name} = null } catch {}
      for (const key of ['stringify', 'keys', 'prototype', 'encode']) try { ${name}[key] = null } catch {}`
    expect(await find(text)).toEqual([])
  },
)

test.each([
  'eval("1")',
  'import("node:fs")',
  'import.source("data:application/wasm;base64,AGFzbQEAAAA=")',
  'import . source("x")',
  'import./**/defer("node:fs")',
])('%s does not load', text => {
  expect(() => sandboxed(`message => ${text}`)).toThrow(/it contains/)
})

test('nor as text that is made a function later', async () => {
  const import_ = `['im', 'port'].join('')`
  expect(
    await find(`Function('return ' + ${import_} + '.source("data:application/wasm;base64,AGFzbQEAAAA=")')()`),
  ).toEqual([expect.stringMatching(/^failed SyntaxError/)])
})
