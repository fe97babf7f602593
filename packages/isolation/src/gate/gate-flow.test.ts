// A gate whose frontend takes nothing, and one whose hook holds much: neither takes more in, so that what it keeps is bounded,
// and the frontend waits.
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, settled } from '../../test/gate.js'

const big = 'x'.repeat(2 ** 20)
const calls = (count: number) => Array.from({ length: count }, (_, at) => call(at + 1, 'm', { big }))

describe('a gate', () => {
  test('takes nothing in while nothing goes out, and then all of it, in order', async () => {
    let asked = 0
    const { frontendLink, sealed } = setUp(message => {
      asked++
      return message
    })
    frontendLink.pause()
    for (const message of calls(40)) {
      send(frontendLink, message)
      await settled()
    }
    expect(asked).toBeLessThan(15)
    expect(frontendLink.queued).toBeGreaterThan(20 * 2 ** 20)
    frontendLink.resume()
    await expect.poll(() => sealed.length).toBe(40)
    expect(ids(sealed)).toEqual(ids(calls(40)))
  })

  test('stops at what floods it with rejections, too', async () => {
    const { frontendLink, responses } = setUp(() => null)
    frontendLink.pause()
    const frame = Array.from({ length: 8000 }, (_, at) => call(at + 1))
    for (let i = 0; i < 10; i++) {
      send(frontendLink, ...frame)
      await settled()
    }
    expect(frontendLink.queued).toBeGreaterThan(2 ** 20)
    frontendLink.resume()
    await expect.poll(() => responses.length, { timeout: 10_000 }).toBe(80_000)
  })

  test('takes in no more than a hook that takes its time may hold', async () => {
    const waiting: (() => void)[] = []
    const { frontendLink, sealed } = setUp(message => new Promise(resolve => waiting.push(() => resolve(message))))
    for (const message of calls(40)) send(frontendLink, message)
    await settled()
    expect(waiting.length).toBeGreaterThan(10)
    expect(waiting.length).toBeLessThan(20)
    for (let at = 0; at < 40; at++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(at)
      waiting[at]!()
    }
    await expect.poll(() => sealed.length).toBe(40)
    expect(ids(sealed)).toEqual(ids(calls(40)))
  })
})
