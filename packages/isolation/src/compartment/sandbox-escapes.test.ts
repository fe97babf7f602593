// Attempts of a running hook to reach Node or the gate: from its message, from functions that it gets, and from errors of Node's own
// functions. None reaches a Function constructor that sees Node, or an object that the gate shares.
import { codecs } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, setUp, settled } from '../../test/gate.js'
import { sandboxed } from '../../test/sandboxed.js'

/** Returns the log of a hook that runs an expression. The message must pass. */
async function find(expression: string): Promise<string[]> {
  const { fn, logs } = sandboxed(`function (message) {
    const reach = value => {
      if (Object(value) !== value) return
      const found = []
      for (let object = value; object !== null && object !== undefined; object = Object.getPrototypeOf(object)) {
        for (const key of Reflect.ownKeys(object)) {
          const { get, set, value: member } = Object.getOwnPropertyDescriptor(object, key)
          for (const candidate of [get, set, member]) if (typeof candidate === 'function') found.push(candidate)
        }
        if (object !== value && !Object.isFrozen(object)) console.log('not frozen')
      }
      if (typeof value === 'function') found.push(value)
      for (const candidate of found) {
        try {
          const result = candidate.constructor.constructor('return typeof process + typeof require')()
          if (result !== 'undefinedundefined') console.log(result)
        } catch {}
        try {
          const result = candidate.constructor('return typeof process + typeof require')()
          if (result !== 'undefinedundefined') console.log(result)
        } catch {}
      }
    }
    try { ${expression} } catch (error) { console.log('failed', error) }
    return message
  }`)
  const { frontendLink, sealed } = setUp(fn)
  const message = call(1, 'm', { text: 'x', list: [1], bytes: new Uint8Array(2), when: new Date(0) })
  frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(message) as Uint8Array })
  await settled()
  expect(sealed).toEqual([message])
  return logs
}

const thrownBy = (expression: string): string => `try { ${expression} } catch (error) { reach(error) }`

describe('a hook does not reach Node', () => {
  test('from anything that it can reach', () =>
    rows<[from: string, expression: string]>([
      ['the message', 'reach(message); for (const value of Object.values(message)) reach(value)'],
      ['the payload', 'for (const value of Object.values(message.payload)) reach(value)'],
      ['the buffer of bytes', 'reach(message.payload.bytes.buffer)'],
      ['`this`', 'if (this !== window) console.log("another this")'],
      ['the arguments', 'reach(arguments)'],
      ['console, confirm', 'for (const value of [confirm, ...Object.values(console)]) reach(value)'],
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
    ])(async (_from, expression) => expect(await find(expression)).toEqual([])))

  test('from the functions that its thenable gets', async () => {
    const { fn, logs } = sandboxed(`message => ({
      then(resolve, reject) {
        for (const settle of [resolve, reject]) {
          for (const getFunction of [() => settle.constructor, () => settle.constructor.constructor]) {
            try { console.log(getFunction()('return typeof process')()) } catch {}
          }
          settle.caller?.call()
        }
        resolve(message)
      },
    })`)
    const { frontendLink, sealed } = setUp(fn)
    frontendLink.send({ kind: FRAME_KIND.json, body: JSON.stringify(call(1)) })
    await settled()
    expect(sealed).toHaveLength(1)
    expect(logs.filter(text => text !== 'undefined')).toEqual([])
  })

  test('from bytes, whose buffer contains nothing else', async () => {
    const text = 'const { bytes } = message.payload; console.log(bytes.buffer.byteLength, bytes.byteOffset)'
    expect(await find(text)).toEqual(['2 0'])
  })
})

test('the gate keeps its globals when a hook assigns to them', () =>
  rows(['JSON', 'Object', 'Promise', 'Reflect', 'Uint8Array', 'TextEncoder', 'globalThis'])(async name => {
    const text = `try { window.${name} = null } catch {} try { ${name} = null } catch {}
      for (const key of ['stringify', 'keys', 'prototype', 'encode']) try { ${name}[key] = null } catch {}`
    expect(await find(text)).toEqual([])
  }))

test('a hook with direct eval or import does not load', () =>
  rows([
    'eval("1")',
    'import("node:fs")',
    'import.source("data:application/wasm;base64,AGFzbQEAAAA=")',
    'import . source("x")',
    'import./**/defer("node:fs")',
  ])(text => expect(() => sandboxed(`message => ${text}`)).toThrow(/it contains/)))

test('a hook cannot import in a function that it creates from a string', async () => {
  const import_ = `['im', 'port'].join('')`
  expect(
    await find(`Function('return ' + ${import_} + '.source("data:application/wasm;base64,AGFzbQEAAAA=")')()`),
  ).toEqual([expect.stringMatching(/^failed SyntaxError/)])
})
