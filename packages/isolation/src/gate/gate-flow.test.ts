import { setDevelopment } from '@sallyport/protocol/internal/util'
import { MAX_GATE_QUEUE_BYTES } from '@sallyport/protocol/internal/wire'
import { describe, expect, onTestFinished, test } from 'vitest'
import { call, ids, send, setUp, settled } from '../../test/gate.js'
import { rows } from '../../../../scripts/testing.js'

const big = 'x'.repeat(2 ** 20)
const calls = (count: number) => Array.from({ length: count }, (_, at) => call(at + 1, 'm', { big }))

describe('a gate stops reading', () => {
  test('while its link has no room, and then passes everything in order', async () => {
    let judged = 0
    const { frontendLink, sealed } = setUp(message => {
      judged++
      return message
    })
    frontendLink.pause()
    for (const message of calls(40)) {
      send(frontendLink, message)
      await settled()
    }
    expect(judged).toBeLessThan(15)
    expect(frontendLink.queued).toBeGreaterThan(20 * 2 ** 20)
    frontendLink.resume()
    await expect.poll(() => sealed.length).toBe(40)
    expect(ids(sealed)).toEqual(ids(calls(40)))
  })

  test('when rejections fill its link', async () => {
    // In development each of the errors has a stack, which takes the test runner 0.1 ms to format.
    setDevelopment(false)
    onTestFinished(() => setDevelopment(true))
    const { frontendLink, responses } = setUp(() => null)
    frontendLink.pause()
    const frame = Array.from({ length: 8000 }, (_, at) => call(at + 1))
    for (let i = 0; i < 10; i++) {
      send(frontendLink, ...frame)
      await settled()
    }
    expect(frontendLink.queued).toBeGreaterThan(2 ** 20)
    frontendLink.resume()
    await expect.poll(() => responses.length).toBe(80_000)
  })

  test('at 16 MiB of messages that wait for the hook, and not before', () =>
    rows([
      ['at the limit', MAX_GATE_QUEUE_BYTES / 16, 16],
      ['one byte less', MAX_GATE_QUEUE_BYTES / 16 - 1, 17],
    ])(async (_what, size, most) => {
      let judged = 0
      const { frontendLink } = setUp(() => {
        judged++
        return new Promise(() => {})
      })
      const overhead = JSON.stringify(call(10, 'm', { big: '' })).length
      for (let id = 10; id < 30; id++) send(frontendLink, call(id, 'm', { big: 'x'.repeat(size - overhead) }))
      await settled()
      expect(judged).toBe(most)
    }))

  test('when a slow hook holds many bytes', async () => {
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
