import { METHOD } from '@sallyport/protocol/internal/message'
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

describe('the queue of a gate', () => {
  const MAX_WAITING = 16_384

  /** Fills the queue behind a hook that waits until it is released. */
  async function setUpFullQueue() {
    let release = (): void => {}
    let judged = 0
    const gate = setUp(message => {
      judged++
      return judged > 1 ? message : new Promise(resolve => (release = () => resolve(message)))
    })
    send(gate.frontendLink, ...Array.from({ length: MAX_WAITING }, (_, i) => call(i)))
    await settled()
    expect(judged).toBe(MAX_WAITING)
    return { ...gate, countJudged: () => judged, release: () => release() }
  }

  describe('when the queue is full', () => {
    test('calls, events and responses are refused without calling the hook, and queued messages still pass', async () => {
      const { frontendLink, sealed, responses, rejected, countJudged, release } = await setUpFullQueue()
      const event = { jsonrpc: '2.0', method: METHOD.emit, params: { event: 'e' } }
      send(frontendLink, call(-1, 'more'), event, { jsonrpc: '2.0', id: 7, result: 1 })
      await settled()
      expect(countJudged()).toBe(MAX_WAITING)
      expect(responses).toMatchObject([{ id: -1, error: { code: -32004 } }])
      expect(rejected).toEqual([
        'more: overloaded',
        'plugin:event|emit: overloaded',
        'plugin:expose|answer: overloaded',
      ])
      release()
      await expect.poll(() => sealed.length).toBe(MAX_WAITING + 1)
      expect(ids(sealed.slice(0, MAX_WAITING))).toEqual(Array.from({ length: MAX_WAITING }, (_, i) => i))
      expect(sealed[MAX_WAITING]).toMatchObject({ id: 7, error: { code: -32004 } })
      send(frontendLink, call(1, 'again'))
      await expect.poll(() => sealed.at(-1)).toMatchObject({ id: 1, method: 'again' })
    })

    test('the ends of channels are not queued', async () => {
      const { frontendLink, sealed } = await setUpFullQueue()
      send(
        frontendLink,
        ...Array.from({ length: 3 }, () => ({ jsonrpc: '2.0', method: METHOD.closeChannel, params: { channel: 1 } })),
      )
      await expect.poll(() => sealed.length).toBe(3)
    })
  })

  test('a queued call whose id is a string cannot be cancelled, as in core', async () => {
    let release = (): void => {}
    const { frontendLink, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
    const cancel = { jsonrpc: '2.0', method: METHOD.cancel, params: { id: 'a' } }
    send(frontendLink, { ...call(0), id: 'a' }, cancel)
    await settled()
    release()
    await settled()
    expect(sealed).toMatchObject([cancel, { id: 'a', method: 'm' }])
  })

  test('a cancelled call does not leave the gate, wherever it waits', async () => {
    for (const cancelled of [0, 1, 2]) {
      const release: (() => void)[] = []
      const { frontendLink, sealed } = setUp(message => new Promise(resolve => release.push(() => resolve(message))))
      send(frontendLink, call(0), call(1), call(2), {
        jsonrpc: '2.0',
        method: METHOD.cancel,
        params: { id: cancelled },
      })
      await settled()
      // The hook answers in the opposite order.
      for (const each of release.toReversed()) each()
      await expect.poll(() => ids(sealed)).toEqual([0, 1, 2].filter(id => id !== cancelled))
    }
  })
})
