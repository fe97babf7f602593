// Events of a frontend in the isolation pattern: many share a message, and the hook, quotas and core see each of them.
import { METHOD } from '@sallyport/protocol/internal/message'
import { describe, expect, test } from 'vitest'
import type { Bus } from '../../src/index.js'
import { isolation, openRaw, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

/** Collects what core has received from `frontend-event`. */
async function collect(bus: Bus): Promise<any[]> {
  const received: any[] = []
  await bus.listen('backend-event', ({ payload }) => void received.push(payload))
  return received
}

describe.each(choose(['msgpack', 'json'] as const))('many events at once, in %s', codec => {
  test('arrive in order and as the hook has passed them, and each rejected one is reported', async () => {
    const bus = await start({ ...isolation('judge'), codec })
    const received = await collect(bus)
    let rejections = 0
    bus.on('rejected', ({ more = 0 }) => (rejections += 1 + more))
    const client = await bus.connect('tests')
    const wishes: Record<number, string> = { 3: 'null', 5: 'throw', 70: 'change-in-place', 71: 'nonsense', 80: 'later' }
    for (let n = 0; n < 300; n++) void client.emit('frontend-event', wishes[n] ? { n, hook: wishes[n] } : { n })
    // Events of other names, and calls, end a message.
    void client.emit('other', 1)
    await Promise.all([client.emit('frontend-event', { n: 300 }), client.invoke('add', { a: 1, b: 2 })])
    const passed = Array.from({ length: 301 }, (_, n) => n).filter(n => ![3, 5, 71].includes(n))
    await expect.poll(() => received.length).toBe(passed.length)
    expect(received.map(({ n }) => n as number)).toEqual(passed)
    expect(received.filter(({ hook }) => hook)).toEqual([
      { n: 70, hook: 'change-in-place', changed: true },
      { n: 80, hook: 'later' },
    ])
    await expect.poll(() => rejections).toBe(3)
  })

  test('count one by one for quotas', async () => {
    const quotas = [{ commands: [METHOD.emit], rate: 10 }]
    const bus = await start({ ...isolation('judge'), codec, calls: { quotas } })
    const received = await collect(bus)
    const client = await bus.connect('tests')
    for (let n = 0; n < 200; n++) void client.emit('frontend-event', { n })
    await client.invoke('add', { a: 1, b: 2 })
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(10)
    expect(received.length).toBeLessThan(200)
  })
})

describe('a frontend that forges messages of several events', () => {
  const several = (event: string, payloads: string, more = ''): string =>
    `{"jsonrpc":"2.0"${more},"method":"$/emit","params":{"event":${JSON.stringify(event)},"payloads":${payloads}}}`
  const seen = '{"jsonrpc":"2.0","id":1,"method":"log_line","params":{"a":1}}'

  test('gets each of them judged, and nothing else executed', async () => {
    const bus = await start(isolation('judge'))
    const received = await collect(bus)
    const frames = [
      // Without a list, with an id, and with a name that is too long: refused.
      several('frontend-event', '"text"'),
      several('frontend-event', '{"length":1,"0":{"n":"object"}}'),
      several('frontend-event', '[{"n":"id"}]', ',"id":7'),
      several(`frontend-event${'x'.repeat(300)}`, '[{"n":"long"}]'),
      // A payload is never a message.
      several('frontend-event', `[${seen},{"n":1},{"n":2,"hook":"null"},{"n":3}]`),
      several('$/rejected', '[{"id":1}]'),
    ]
    const send = await openRaw(bus, 'forger')
    send(`[${frames.join(',')},${several('frontend-event', '[{"n":"end"}]')}]`)
    await expect.poll(() => received.at(-1)?.n as unknown).toBe('end')
    expect(received).toEqual([JSON.parse(seen), { n: 1 }, { n: 3 }, { n: 'end' }])
    const client = await bus.connect('tests')
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  })

  test('loses its session for too many, and no other frontend does', async () => {
    const bus = await start({ ...isolation('judge'), supervision: { restart: 'temporary' } })
    const received = await collect(bus)
    const client = await bus.connect('tests')
    const fault = new Promise(resolve => bus.on('fault', resolve))
    const send = await openRaw(bus, 'forger')
    send(several('frontend-event', `[${'0,'.repeat(65536)}0]`))
    expect(await fault).toMatchObject({ label: 'forger', error: { reason: 'InvalidRequest' } })
    expect(received).toEqual([])
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  })
})
