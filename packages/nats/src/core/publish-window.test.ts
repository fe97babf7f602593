// What the server has not had yet is bounded, and forgotten with the connection.
import { describe, expect, test } from 'vitest'
import { PublishWindow } from './event-fanout.js'

const MEGABYTE = 2 ** 20

describe('what is not sent yet', () => {
  test('is 16 MiB at most, or one thing that is larger', () => {
    const unsent = new PublishWindow({ flush: () => new Promise(() => {}) })
    expect(unsent.add(20 * MEGABYTE)).toBe(true)
    expect(unsent.add(1)).toBe(false)
    const other = new PublishWindow({ flush: () => new Promise(() => {}) })
    for (let i = 0; i < 16; i++) expect(other.add(MEGABYTE)).toBe(true)
    expect(other.add(1)).toBe(false)
  })

  test.each([
    ['the server has had it', () => Promise.resolve()],
    ['the connection is lost', () => Promise.reject(new Error('lost'))],
  ])('makes room once %s', async (_when, flush) => {
    const unsent = new PublishWindow({ flush })
    for (let i = 0; i < 16; i++) unsent.add(MEGABYTE)
    expect(unsent.add(1)).toBe(false)
    await expect.poll(() => unsent.add(16 * MEGABYTE)).toBe(true)
  })
})
