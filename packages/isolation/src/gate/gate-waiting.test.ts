// What waits for a hook is bounded: a frontend can't fill the gate's memory behind one that takes its time.
import { METHOD } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, settled } from '../../test/gate.js'

const MOST = 16_384

/** A hook that waits until it is let go, and as many messages behind it as may wait. */
async function full() {
  let release = (): void => {}
  let asked = 0
  const gate = setUp(message => {
    asked++
    return asked > 1 ? message : new Promise(resolve => (release = () => resolve(message)))
  })
  send(gate.frontendLink, ...Array.from({ length: MOST }, (_, i) => call(i)))
  await settled()
  expect(asked).toBe(MOST)
  return { ...gate, asked: () => asked, release: () => release() }
}

describe('behind as many messages as may wait', () => {
  test('calls are refused, events and responses too; none is shown to the hook, and what waited goes on', async () => {
    const { frontendLink, sealed, responses, rejected, asked, release } = await full()
    const event = { jsonrpc: '2.0', method: METHOD.emit, params: { event: 'e' } }
    send(frontendLink, call(-1, 'more'), event, { jsonrpc: '2.0', id: 7, result: 1 })
    await settled()
    expect(asked()).toBe(MOST)
    expect(responses).toMatchObject([{ id: -1, error: { code: -32004 } }])
    expect(rejected).toEqual(['more: overloaded', 'plugin:event|emit: overloaded', 'plugin:expose|answer: overloaded'])
    release()
    await expect.poll(() => sealed.length).toBe(MOST + 1)
    expect(ids(sealed.slice(0, MOST))).toEqual(Array.from({ length: MOST }, (_, i) => i))
    expect(sealed[MOST]).toMatchObject({ id: 7, error: { code: -32004 } })
    send(frontendLink, call(1, 'again'))
    await expect.poll(() => sealed.at(-1)).toMatchObject({ id: 1, method: 'again' })
  })

  test('the ends of channels wait no more', async () => {
    const { frontendLink, sealed } = await full()
    send(
      frontendLink,
      ...Array.from({ length: 3 }, () => ({ jsonrpc: '2.0', method: METHOD.closeChannel, params: { channel: 1 } })),
    )
    await expect.poll(() => sealed.length).toBe(3)
  })
})

test('a call whose id is a text is not cancelled while it waits, as in core', async () => {
  let release = (): void => {}
  const { frontendLink, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
  const cancel = { jsonrpc: '2.0', method: METHOD.cancel, params: { id: 'a' } }
  send(frontendLink, { ...call(0), id: 'a' }, cancel)
  await settled()
  release()
  await settled()
  expect(sealed).toMatchObject([cancel, { id: 'a', method: 'm' }])
})
