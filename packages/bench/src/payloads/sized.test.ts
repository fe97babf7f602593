import { expect, test } from 'vitest'
import { makeReady } from '../workers/check.js'
import { callsOf, documentOf } from './document.js'
import { payloadBytes } from './payload.js'
import { sizedPayloads } from './sized.js'

const small = sizedPayloads().filter(payload => payloadBytes(payload) <= 2 ** 20)

test('each document has the size that it is called by, as JSON and as bytes', () => {
  expect(small.map(({ id }) => id)).toEqual(['0-b', '64-b', '1-kib', '16-kib', '64-kib', '256-kib', '1-mib'])
  for (const payload of small.slice(1)) {
    const [call] = callsOf(payload)
    expect(Buffer.byteLength(JSON.stringify(call!.args))).toBe(payloadBytes(payload))
    const [bytes] = callsOf({ ...payload, sized: { ...payload.sized!, bytes: true } }).map(makeReady)
    expect((bytes!.args as Uint8Array).length).toBe(payloadBytes(payload))
  }
})

test('of nothing, JSON has an empty object, and bytes have none', () => {
  const [nothing] = small
  expect(callsOf(nothing!)).toEqual([{ command: 'echo', args: {}, expected: {} }])
  const [bytes] = callsOf({ ...nothing!, sized: { ...nothing!.sized!, bytes: true } }).map(makeReady)
  expect(bytes).toMatchObject({ args: new Uint8Array(0), expected: Buffer.alloc(0) })
})

test('most of it is objects, where there is room for some, and each of them its own', () => {
  const { parts } = small[0]!.sized!
  for (const size of [2 ** 10, 2 ** 18]) {
    const made = documentOf(parts, size) as { parts: object[]; rest: string }
    expect(made.parts.length).toBeGreaterThan(1)
    expect(made.rest.length).toBeLessThan(400)
    expect(new Set(made.parts).size).toBe(made.parts.length)
  }
  expect(() => documentOf(parts, 7)).toThrow('no document has 7 bytes')
})
