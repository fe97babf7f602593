// Gates that fail in every way, over each link, while their frontends and others keep running.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Client } from '../../../src/index.js'
import { settle, soon, takeClock } from '../../support/supervised.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'
import { terminate } from './threads.js'
import { everything, openVictim, type Held } from './victims.js'

vi.mock(import('../../../src/life/workers/spawn.js'), async original =>
  (await import('./threads.js')).reaching(original),
)

/** Faults inside the gate, with the reported error. */
const faults: [how: string, error: RegExp][] = [
  ['exit', /exited with code 3/],
  ['throw', /broken on purpose/],
  ['throw null', /null/],
  ['overflow', /call stack/],
  ['between hook and seal', /exited with code 3/],
  ['between seal and forward', /exited with code 3/],
  ['terminate', /exited with code 1/],
]

/** Faults in a later tick: the call that caused them can be answered first. */
const LATER: ReadonlySet<string> = new Set(['throw', 'throw null', 'overflow', 'loop'])

let watched: Watched
let other: Client
const bothActors = new Set(['frontend', 'gate'])
const others = () => other.invoke('add', { a: 1, b: 2 })

const begin = (heartbeat: number | false = false): Promise<Watched> => {
  const dir = new URL('hook/', import.meta.url)
  return watch({
    core: { module: new URL('core.mjs', import.meta.url), supervision: { ...soon, heartbeat: false } },
    supervision: { ...soon, heartbeat },
    isolation: { dir, hookTimeout: 60_000 },
    capabilities: [everything],
  })
}

beforeAll(async () => {
  watched = await begin()
  other = await watched.bus.connect('other')
})
afterAll(() => watched.close())

/** Connects a client with calls in flight in every direction, through a gate that will fail. */
async function connect(label: string) {
  const client = await watched.bus.connect(label)
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
  await expect.poll(async () => ({ ...(await held()), holding })).toEqual({ began: 1, aborted: 0, holding: 2 })
  return { client, calls, held }
}

test('a gate that fails in any way restarts, and its calls settle', () =>
  rows(faults)(async (how, error) => {
    const label = how.replaceAll(' ', '-')
    const { client, calls, held } = await connect(label)
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
    await expect.poll(held).toEqual({ began: 1, aborted: 1 })
    await client.close()
  }))

test('a gate whose event loop blocks restarts', async () => {
  takeClock('polls of heartbeats')
  const alone = await begin(60_000)
  const client = await alone.bus.connect('loop')
  const calls = { hold: client.invoke('hold'), loop: client.invoke('add', { a: 1, b: 2, gate: 'loop' }) }
  calls.loop.catch(() => {})
  await settle(calls.hold)
  const error = { message: expect.stringMatching(/^gate "loop" blocked its event loop for/) as string }
  await checkGuarantee(alone, {
    ...{ label: 'loop', calls, reasons: ['Disconnected', 'resolved'] },
    serves: () => client.invoke('add', { a: 1, b: 2 }),
    events: [
      { name: 'fault', error },
      { name: 'restart', worker: 'gate' },
    ],
  })
  await alone.bus.close({ timeout: 0 })
})

describe('the frontend of a gate', () => {
  test('a closed link ends a client of the host with a fault, and frees its label', async () => {
    const label = 'link'
    const { client, calls, held } = await connect(label)
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
    const label = 'midst'
    const { client, calls } = await connect(label)
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
    const label = 'storm'
    const supervision = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
    const { calls, held } = await openVictim(watched, other, label, { supervision })
    const exit = async (): Promise<string | undefined> => {
      await watched.bus.call(label, 'invoke', { a: 1, b: 2, gate: 'exit' }).catch(() => {})
      return watched.events.findLast(event => event.label === label)?.name
    }
    // A poll begins when it is awaited.
    const storm = (async () => expect.poll(exit).toBe('failed'))()
    await checkGuarantee(watched, {
      label,
      calls,
      others,
      serves: 'failed',
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

  test.each(['at once', 'one after the other'])('restarts together with its frontend when both exit %s', async when => {
    const label = `both-${when.length}`
    const { calls, held } = await openVictim(watched, other, label)
    const restarted = () => watched.events.filter(event => event.label === label && event.name === 'restart')
    terminate(label)
    if (when !== 'at once') await expect.poll(restarted).toHaveLength(1)
    terminate(`gate of ${label}`)
    for (const call of Object.values(calls)) await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
    // The first answer can be lost with the gate.
    await expect.poll(() => watched.bus.call(label, 'calls').catch(() => {})).toBeTypeOf('number')
    await expect.poll(() => new Set(restarted().map(({ worker }) => worker))).toEqual(bothActors)
    await expect.poll(() => watched.bus.call(label, 'invoke', { a: 1, b: 2 }).catch(() => {})).toBe(3)
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

test('a failing hook rejects only its own call', async () => {
  const label = 'alone'
  const { client, calls } = await connect(label)
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
