// Pool threads that exit in every way: the call rejects, waiting calls get another thread, and core keeps running.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { Client } from '../../../src/index.js'
import { fixture, isolation } from '../../support/start.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'

const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: ['which', 'heavy', 'fault'].map(n => `allow-${n}`),
}
const prefix = 'The pool\'s thread exited while it ran command "heavy": '

const ends: [how: string, message: string][] = [
  ['exits with code 0', `${prefix}worker exited with code: 0`],
  ['exits with code 3', `${prefix}worker exited with code: 3`],
  ['throws in a timer', `${prefix}thrown`],
  ['throws an error with a path in a timer', `${prefix}ENOENT: no such file or directory`],
  ['throws null in a timer', `${prefix}command "heavy" failed`],
  ['leaves a rejection unhandled', `${prefix}unhandled`],
  // Only Node 24 names the cause.
  ['returns a function', prefix],
]

describe.each(choose(['brownfield', 'isolation'] as const))('the pool, %s:', pattern => {
  let watched: Watched
  let client: Client
  let core: unknown
  const heavy = (kind: string, options = {}): Promise<unknown> => client.invoke('heavy', { kind }, options)

  beforeAll(async () => {
    const app = { brownfield: {}, isolation: isolation('judge', {}, capability) }[pattern]
    watched = await watch({ core: fixture('supervision/faulty-core.mjs'), ...app })
    client = await watched.bus.connect('tests')
    core = await client.invoke('which')
  })

  afterAll(() => watched.close())

  test('a thread that exits rejects its call, and one that overflows its stack answers', async () => {
    await rows(ends)(async (kind, message) => {
      const call = heavy(kind)
      await checkGuarantee(watched, {
        label: 'core',
        calls: { heavy: call },
        reasons: ['Crashed'],
        others: async () => expect(await client.invoke('which')).toBe(core),
        serves: () => heavy('nothing'),
        events: [],
      })
      await expect(call).rejects.toThrow(message)
      const line = { msg: 'a thread of the pool exited', command: 'heavy', level: 50 }
      await expect.poll(() => watched.lines).toContainEqual(expect.objectContaining(line))
    })
    await expect(heavy('overflows its stack')).rejects.toMatchObject({ reason: 'CommandFailed' })
  })

  test('threads that throw after their answer do not affect other calls', async () => {
    for (const kind of ['answers and then throws', 'answers and then rejects', 'nothing']) {
      expect(await heavy(kind)).toBeTypeOf('number')
    }
    expect(await client.invoke('which')).toBe(core)
  })

  test('waiting calls run even if every thread before has exited', async () => {
    const kinds = [...Array<string>(12).fill('exits with code 3'), ...Array<string>(12).fill('nothing')]
    const outcomes = await Promise.allSettled(kinds.map(kind => heavy(kind)))
    expect(outcomes.slice(0, 12).every(({ status }) => status === 'rejected')).toBe(true)
    expect(outcomes.slice(12).every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  test('threads that block forever end with their calls, and waiting calls run', async () => {
    const calls = Array.from({ length: 12 }, () => heavy('blocks forever', { timeout: 1 }))
    const last = heavy('nothing')
    for (const call of calls) await expect(call).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await last).toBeTypeOf('number')
  })

  test('a thread that blocks forever ends with its caller, and with core', async () => {
    const caller = await watched.bus.connect('caller')
    const call = caller.invoke('heavy', { kind: 'blocks forever' })
    call.catch(() => {})
    await heavy('nothing')
    await caller.close()
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    const calls = { spins: heavy('blocks forever'), ends: client.invoke('fault', { kind: 'exits later', n: 0 }) }
    await checkGuarantee(watched, { label: 'core', calls, serves: () => heavy('nothing') })
  })
})
