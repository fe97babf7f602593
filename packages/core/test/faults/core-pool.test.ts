// A thread of the pool that dies, in each way that it can: its call rejects, those that wait for a thread get another one, and
// core does not notice.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/index.js'
import { fixture, isolation } from '../start.js'
import { checkPromise, watch, type Watched } from './promise.js'

const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: ['which', 'heavy', 'fault'].map(n => `allow-${n}`),
}
const ended = 'The pool’s thread has ended while it ran command "heavy": '

const ends: [how: string, message: string][] = [
  ['exits with code 0', `${ended}worker exited with code: 0`],
  ['exits with code 3', `${ended}worker exited with code: 3`],
  ['throws in a timer', `${ended}thrown`],
  ['throws what has a path in a timer', `${ended}ENOENT: no such file or directory`],
  ['throws null in a timer', `${ended}command "heavy" failed`],
  ['leaves a rejection unhandled', `${ended}unhandled`],
  // Node 24 says what, Node 20 can’t.
  ['gives a function', ended],
]

describe.each([
  ['brownfield', 'port'],
  ['isolation', 'ring'],
] as const)('the pool, %s, %s:', (pattern, link) => {
  let watched: Watched
  let client: Client
  let core: unknown
  const heavy = (kind: string, options = {}): Promise<unknown> => client.invoke('heavy', { kind }, options)

  beforeAll(async () => {
    const app = { brownfield: {}, isolation: isolation('judge', {}, capability) }[pattern]
    watched = await watch({ core: fixture('faulty-core.mjs'), app })
    client = await watched.bus.connect('tests', { link })
    core = await client.invoke('which')
  })

  afterAll(() => watched.close())

  test.each(ends)('a thread that %s', async (kind, message) => {
    const call = heavy(kind)
    await checkPromise(watched, {
      label: 'core',
      calls: { heavy: call },
      reasons: ['InternalError'],
      others: async () => expect(await client.invoke('which')).toBe(core),
      serves: () => heavy('nothing'),
      told: [],
    })
    await expect(call).rejects.toThrow(message)
    const line = { msg: 'a thread of the pool has ended', command: 'heavy', level: 50 }
    await expect.poll(() => watched.lines).toContainEqual(expect.objectContaining(line))
  })

  test('a thread that overflows its stack answers', async () => {
    await expect(heavy('overflows its stack')).rejects.toMatchObject({ reason: 'CommandFailed' })
  })

  test('threads that answer, and then throw, take no other call’s answer', async () => {
    for (const kind of ['answers, and then throws', 'answers, and then rejects', 'nothing']) {
      expect(await heavy(kind)).toBeTypeOf('number')
    }
    expect(await client.invoke('which')).toBe(core)
  })

  test('more calls than threads: those that wait run, though every thread before has died', async () => {
    const kinds = [...Array<string>(12).fill('exits with code 3'), ...Array<string>(12).fill('nothing')]
    const outcomes = await Promise.allSettled(kinds.map(kind => heavy(kind)))
    expect(outcomes.slice(0, 12).every(({ status }) => status === 'rejected')).toBe(true)
    expect(outcomes.slice(12).every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  test('threads that compute for ever end with their calls, and let those run that wait', async () => {
    const calls = Array.from({ length: 12 }, () => heavy('computes for ever', { timeout: 300 }))
    const last = heavy('nothing')
    for (const call of calls) await expect(call).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await last).toBeTypeOf('number')
  })

  test('a thread that computes for ever ends with its caller, and with core', async () => {
    const caller = await watched.bus.connect('caller', { link })
    const call = caller.invoke('heavy', { kind: 'computes for ever' })
    call.catch(() => {})
    await heavy('nothing')
    await caller.close()
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    const calls = { spins: heavy('computes for ever'), ends: client.invoke('fault', { kind: 'exits later', n: 0 }) }
    await checkPromise(watched, { label: 'core', calls, serves: () => heavy('nothing') })
  })
})
