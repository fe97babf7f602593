// Calls that are refused with `Overloaded`, by the client of a frontend or by core, in the statistics.
import { expect, test } from 'vitest'
import type { FrontendOptions } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const SCRIPT = `for (let i = 0; i < 100; i++) sallyport.invoke('echo', { i }).catch(() => {})`

const sandboxes: NonNullable<FrontendOptions['sandbox']>[] = [
  'none',
  'permission',
  'process',
  { kind: 'quickjs', group: 'all' },
]

test('counts the calls that the client of a frontend refuses', () =>
  rows(choose(sandboxes))(async sandbox => {
    const bus = await start()
    const module = typeof sandbox === 'object' ? { source: SCRIPT } : fixture('observability/flooder.mjs')
    await bus.open('floods', module, { sandbox, maxInFlight: 4, overflow: 'reject', allow: ['echo'] })
    const counts = { unsent: 96, calls: 4, failures: 0, overloaded: 0 }
    await expect.poll(async () => (await bus.stats()).frontends['floods']).toMatchObject(counts)
  }))

test('counts the calls that a client of the host refuses', () =>
  rows(['brownfield', 'isolation'])(async pattern => {
    const bus = await start(pattern === 'isolation' ? { ...isolation() } : {})
    const client = await bus.connect('tests', { maxInFlight: 1, overflow: 'reject' })
    const calls = await Promise.allSettled([1, 2, 3].map(i => client.invoke('echo', { i })))
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect((await bus.stats()).frontends['tests']).toMatchObject({ calls: 1, unsent: 2 })
  }))

test('counts the calls that a quota refuses', async () => {
  const bus = await start({ calls: { quotas: [{ rate: 1e-6 }] } })
  const client = await bus.connect('tests')
  await Promise.allSettled([1, 2, 3, 4, 5].map(i => client.invoke('echo', { i })))
  expect((await bus.stats()).frontends['tests']).toMatchObject({ calls: 5, failures: 4, overloaded: 4, unsent: 0 })
})
