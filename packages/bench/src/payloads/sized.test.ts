import { expect, test } from 'vitest'
import { payloadBytes } from './payload.js'
import { sizedPayloads } from './sized.js'

test('each document has the size that it is called by, and goes as JSON and as bytes', () => {
  const { json, bytes } = sizedPayloads()
  const sizes = [64, 1024, 16_384, 65_536, 262_144, 1_048_576]
  expect(json.map(payloadBytes)).toEqual(sizes)
  expect(bytes.map(payloadBytes)).toEqual(sizes)
  expect(json.map(({ id }) => id)).toEqual(['64-b', '1-kib', '16-kib', '64-kib', '256-kib', '1-mib'])
  expect(bytes.every(({ calls }) => calls[0]?.bytes)).toBe(true)
})

test('most of it is objects, where there is room for some', () => {
  for (const { calls } of sizedPayloads().json.slice(1)) {
    const { parts, rest } = calls[0]!.args as { parts: object[]; rest: string }
    expect(parts.length).toBeGreaterThan(1)
    expect(rest.length).toBeLessThan(400)
  }
})
