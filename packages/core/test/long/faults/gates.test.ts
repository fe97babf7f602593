// Gates that fail in every way, over each link, while their frontends and others keep running.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Client, CodecName } from '../../../src/index.js'
import { isolation } from '../../support/start.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'
import { terminate } from './threads.js'
import { everything, openVictim, type Held } from './victims.js'

vi.mock(import('../../../src/host/workers/spawn.js'), async original =>
  (await import('./threads.js')).reaching(original),
)

/** Faults inside the gate, with the reported error, and the only link to break if what breaks is in front of the link. */
const faults: [how: string, error: RegExp, only?: 'port' | 'ring'][] = [
  ['exit', /exited with code 3/],
  ['throw', /broken on purpose/, 'port'],
  ['throw null', /null/, 'ring'],
  ['overflow', /call stack/, 'port'],
  ['loop', /blocked its event loop|did not return within 1500 ms/, 'ring'],
  ['between hook and seal', /exited with code 3/, 'port'],
  ['between seal and forward', /exited with code 3/],
  ['terminate', /exited with code 1/],
]

/** Faults in a later tick: the call that caused them can be answered first. */
const LATER: ReadonlySet<string> = new Set(['throw', 'throw null', 'overflow', 'loop'])

let watched: Watched
let other: Client
const bothActors = new Set(['frontend', 'gate'])
const others = () => other.invoke('add', { a: 1, b: 2 })

beforeAll(async () => {
  const pattern = isolation(undefined, { hookTimeout: 1500 }, everything).security!
  const dir = new URL('hook/', import.meta.url)
  watched = await watch({
    core: new URL('core.mjs', import.meta.url),
    supervision: { delay: { min: 20, max: 100 }, intensity: 1000, heartbeat: 1500 },
    app: { security: { ...pattern, pattern: { use: 'isolation', options: { dir, hookTimeout: 1500 } } } },
  })
  other = await watched.bus.connect('other')
})
afterAll(() => watched.close())

/** Connects a client with calls in flight in every direction, through a gate that will fail. */
async function connect(label: string, link: 'port' | 'ring', codec: CodecName = 'json') {
  const client = await watched.bus.connect(label, { link, codec })
  let holding = 0
  client.expose({
    hold: () => {
      holding += 1
      return new Promise(() => {})
    },
  })
  const calls = {
    'its own': client.invoke('hold'),
    'of the host': watched.bus.call(label, 'hold'),
    'of another': other.invoke('ask', { label, name: 'hold' }),
  }
  for (const call of Object.values(calls)) call.catch(() => {})
  const held = () => other.invoke<Held>('held', { label })
  await vi.waitFor(async () => expect({ ...(await held()), holding }).toEqual({ began: 1, aborted: 0, holding: 2 }), {
    timeout: 20_000,
  })
  return { client, calls, held }
}

describe.concurrent.each(['port', 'ring'] as const)('over a %s', link => {
  test.each(faults.filter(([, , only = link]) => only === link))('%s', async (how, error) => {
    const label = `${how}-${link}`.replaceAll(' ', '-')
    const { client, calls, held } = await connect(label, link)
    const more = how === 'terminate' ? terminate(`gate of ${label}`) : client.invoke('add', { a: 1, b: 2, gate: how })
    await checkGuarantee(watched, {
      label,
      calls: { ...calls, ...(more && { 'that causes the fault': more }) },
      reasons: LATER.has(how) ? ['Disconnected', 'resolved'] : ['Disconnected'],
      others,
      serves: () => client.invoke('add', { a: 1, b: 2 }),
      events: [
        { name: 'fault', error: { message: expect.stringMatching(error) as string } },
        { name: 'restart', worker: 'gate', restarts: 1 },
      ],
    })
    await vi.waitFor(async () => expect(await held()).toEqual({ began: 1, aborted: 1 }), { timeout: 20_000 })
    await client.close()
  })

  test('a closed link ends a client of the host with a fault, and frees its label', async () => {
    const label = `link-${link}`
    const { client, calls, held } = await connect(label, link)
    client.invoke('add', { a: 1, b: 2, gate: 'link' }).catch(() => {})
    await checkGuarantee(watched, {
      label,
      calls,
      others,
      serves: async () => {
        const next = await watched.bus.connect(label)
        expect(await next.invoke('add', { a: 1, b: 2 })).toBe(3)
        await next.close()
      },
      events: [
        { name: 'fault', error: { message: `The link between frontend "${label}" and core closed unexpectedly` } },
      ],
    })
    await client.closed
    expect(await held()).toEqual({ began: 1, aborted: 1 })
  })

  test('settles all calls of a batch in which a gate exits; only forwarded ones can have run', async () => {
    const label = `midst-${link}`
    const { client, calls } = await connect(label, link, 'msgpack')
    const batch = Array.from({ length: 100 }, (_, i) =>
      client.invoke('add', { a: i, b: 0, ...(i === 60 && { gate: 'exit' }) }),
    )
    const settled = Promise.allSettled(batch)
    const last = Object.fromEntries(batch.slice(60).map((call, i) => [`call ${60 + i}`, call]))
    await checkGuarantee(watched, {
      label,
      calls: { ...calls, ...last },
      others,
      serves: () => client.invoke('add', { a: 1, b: 2 }),
    })
    const rejected = { status: 'rejected', reason: { reason: 'Disconnected', data: { delivered: 'unknown' } } }
    for (const [i, outcome] of (await settled).entries()) {
      expect(outcome).toMatchObject(outcome.status === 'rejected' ? rejected : { value: i })
    }
    await client.close()
  })

  test('fails only its own frontend when the intensity is exceeded', async () => {
    const label = `storm-${link}`
    const supervision = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
    const { calls, held } = await openVictim(watched, other, label, { link, supervision })
    const storm = vi.waitFor(
      async () => {
        await watched.bus.call(label, 'invoke', { a: 1, b: 2, gate: 'exit' }).catch(() => {})
        expect(watched.events.findLast(event => event.label === label)?.name).toBe('failed')
      },
      { timeout: 50_000, interval: 10 },
    )
    await checkGuarantee(watched, {
      label,
      calls,
      others,
      serves: 'failed',
      // Three gates start, one after the other.
      eventTimeout: 40_000,
      events: [
        ...Array.from({ length: 2 }, () => [{ name: 'fault' }, { name: 'restart', worker: 'gate' }]).flat(),
        { name: 'fault' },
        { name: 'failed', worker: 'gate', error: { message: expect.stringMatching(/3 times within/) as string } },
      ],
    })
    await storm
    await expect(watched.bus.call(label, 'calls')).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(await held()).toEqual({ began: 1, aborted: 1 })
  })

  test.each([0, 60])('restarts together with its frontend when both exit %i ms apart', async ms => {
    const label = `both-${link}-${ms}`
    const { calls, held } = await openVictim(watched, other, label, { link })
    terminate(label)
    await delay(ms)
    terminate(`gate of ${label}`)
    for (const call of Object.values(calls)) await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
    // The first answer can be lost with the gate.
    await vi.waitFor(async () => expect(await watched.bus.call(label, 'calls')).toBeTypeOf('number'), {
      timeout: 20_000,
    })
    const restarted = () => watched.events.filter(event => event.label === label && event.name === 'restart')
    await vi.waitFor(() => expect(new Set(restarted().map(({ worker }) => worker))).toEqual(bothActors), {
      timeout: 20_000,
    })
    await vi.waitFor(async () => expect(await watched.bus.call(label, 'invoke', { a: 1, b: 2 })).toBe(3), {
      timeout: 20_000,
    })
    // If the frontend restarts before its gate exits, its first call is lost, before or after it reaches core.
    const { began, aborted } = await held()
    expect([began, aborted]).toBeOneOf([
      [2, 1],
      [2, 2],
      [1, 1],
    ])
    await others()
  })
})

test.concurrent('a failing hook rejects only its own call', async () => {
  const label = 'alone'
  const { client, calls } = await connect(label, 'port')
  for (const hook of ['return', 'throw', 'throw null', 'reject', 'overflow', 'unencodable']) {
    await expect(client.invoke('add', { hook }), hook).rejects.toMatchObject({ reason: 'Rejected' })
  }
  for (const hook of ['rejection', 'bytes', 'block'])
    expect(await client.invoke('add', { a: 1, b: 2, hook }), hook).toBe(3)
  const states = Object.values(calls).map(call => Promise.race([call, Promise.resolve('in flight')]))
  expect(await Promise.all(states)).toEqual(['in flight', 'in flight', 'in flight'])
  expect(watched.events.filter(event => event.label === label)).toEqual([])
  await client.close()
})
