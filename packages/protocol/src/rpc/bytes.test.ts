// Getters and `toJSON` can change a message while it is encoded. A message that no receiver accepts is rejected.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { codecs } from '../codec/codecs.js'
import type { Message } from '../wire/messages.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import { packMessage } from './outbox.js'

const callWith = (params: object) => ({ jsonrpc: '2.0', id: 1, method: 'm', params }) as Message

class Shifting {
  readonly #value: unknown
  constructor(value: unknown) {
    this.#value = value
  }
  toJSON(): unknown {
    return this.#value
  }
}

describe('arguments whose toJSON returns', () => {
  test('anything else is rejected', () =>
    rows([['text'], [[1]], [null], [7], [undefined]])(value => {
      const call = callWith(new Shifting(value))
      for (const codec of Object.values(codecs))
        expect(() => packMessage(codec, call, true)).toThrow('neither an object nor bytes')
    }))

  test('an object are sent as that object', () => {
    const call = callWith(new Shifting({ a: 1 }))
    expect(packMessage(codecs.json, call, true).encoded).toBe('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}')
    expect(codecs.msgpack.decode(packMessage(codecs.msgpack, call).encoded as Uint8Array)).toEqual(callWith({ a: 1 }))
  })
})

test('arguments and bytes of any size are accepted', () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`n${at}`, at]))
  for (const params of [{}, many, new Uint8Array(3), new Uint8Array(300), new Uint8Array(MIN_ATTACHMENT_BYTES)]) {
    for (const codec of Object.values(codecs)) expect(() => packMessage(codec, callWith(params), true)).not.toThrow()
  }
})

test('more bytes than a message can have are refused', () => {
  const pack = (call: Message) => packMessage(codecs.json, call)
  const half = new Uint8Array(MAX_ATTACHED_BYTES / 2)
  expect(() => pack(callWith({ half, other: half }))).not.toThrow()
  const text = '268500992 bytes are over the limit of 268435456'
  expect(() => pack(callWith({ half, other: half, more: new Uint8Array(MIN_ATTACHMENT_BYTES) }))).toThrow(text)
})

type Resizable = ArrayBuffer & { resize(length: number): void }

test('bytes that a getter resizes are refused', () =>
  rows([1, 0, MIN_ATTACHMENT_BYTES, 3 * MIN_ATTACHMENT_BYTES])(size => {
    const options = { maxByteLength: 4 * MIN_ATTACHMENT_BYTES }
    const buffer = Reflect.construct(ArrayBuffer, [2 * MIN_ATTACHMENT_BYTES, options]) as Resizable
    const e = {
      get e() {
        buffer.resize(size)
        return 1
      },
    }
    const call = callWith({ d: new Uint8Array(buffer), e })
    expect(() => packMessage(codecs.msgpack, call)).toThrow('has resized bytes')
  }))
