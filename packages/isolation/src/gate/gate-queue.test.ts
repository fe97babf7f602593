import { METHOD } from '@sallyport/protocol/internal/message'
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, settled } from '../../test/gate.js'

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
    expect(rejected).toEqual(['more: overloaded', 'plugin:event|emit: overloaded', 'plugin:expose|answer: overloaded'])
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
    send(frontendLink, call(0), call(1), call(2), { jsonrpc: '2.0', method: METHOD.cancel, params: { id: cancelled } })
    await settled()
    // The hook answers in the opposite order.
    for (const each of release.toReversed()) each()
    await expect.poll(() => ids(sealed)).toEqual([0, 1, 2].filter(id => id !== cancelled))
  }
})
