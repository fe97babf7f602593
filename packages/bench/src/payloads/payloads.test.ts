import { expect, test } from 'vitest'
import { prepareCall } from '../loops/subject.js'
import { createDocument, getCalls, payloadBytes, sizedPayloads } from './payloads.js'

const small = sizedPayloads().filter(payload => payloadBytes(payload) <= 2 ** 20)

test('documents have the size of their name, as JSON and as bytes', () => {
  expect(small.map(({ id }) => id)).toEqual(['0-b', '64-b', '1-kib', '16-kib', '64-kib', '256-kib', '1-mib'])
  for (const payload of small.slice(1)) {
    const [call] = getCalls(payload)
    expect(Buffer.byteLength(JSON.stringify(call!.args))).toBe(payloadBytes(payload))
    const [bytes] = getCalls({ ...payload, sized: { ...payload.sized!, bytes: true } }).map(prepareCall)
    expect((bytes!.args as Uint8Array).length).toBe(payloadBytes(payload))
  }
})

test('a document of 0 bytes is an empty object as JSON, and empty as bytes', () => {
  const [nothing] = small
  expect(getCalls(nothing!)).toEqual([{ command: 'echo', args: {}, expected: {} }])
  const [bytes] = getCalls({ ...nothing!, sized: { ...nothing!.sized!, bytes: true } }).map(prepareCall)
  expect(bytes).toMatchObject({ args: new Uint8Array(0), expected: Buffer.alloc(0) })
})

test('documents consist of as many distinct objects as fit', () => {
  const { parts } = small[0]!.sized!
  for (const size of [2 ** 10, 2 ** 18]) {
    const made = createDocument(parts, size) as { parts: object[]; rest: string }
    expect(made.parts.length).toBeGreaterThan(1)
    expect(made.rest.length).toBeLessThan(400)
    expect(new Set(made.parts).size).toBe(made.parts.length)
  }
})

test('rejects a size that is too small for a document', () => {
  expect(() => createDocument(small[0]!.sized!.parts, 7)).toThrow('A document cannot have 7 bytes')
})
