// Sessions that end under frontends of another process: each call settles once, another session follows, and nothing of it counts
// as theirs.
import { BusError } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import type { RemoteHost, RemoteHostOptions } from '../../src/network.js'
import { fixture } from '../start.js'
import { eventually, gone } from '../supervised.js'
import { join, nobody, startFar, type Far } from './joined.js'

const patterns = [
  ['brownfield', {}],
  ['isolation', { security: { pattern: { use: 'isolation', options: { dir: fixture('hooks/judge/') } } } }],
] as const satisfies [name: string, app: RemoteHostOptions['app']][]

function watch(joined: RemoteHost): string[] {
  const told: string[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) joined.on(name, () => void told.push(name))
  return told
}

/** The latest session ends as where core, or the network, has gone. */
const cut = (far: Far): void => far.sessions.at(-1)!.link.close()

describe.each(patterns)('%s', (pattern, app) => {
  test('under load every call settles exactly once, and the connection goes on over the next session', async () => {
    const far = await startFar(pattern)
    const joined = await join(far, { app })
    const told = watch(joined)
    const client = await joined.connect('tests')
    const heard: unknown[] = []
    await client.listen('tick', ({ payload }) => void heard.push(payload))
    const settled: string[] = []
    let made = 0
    for (let cuts = 0; cuts < 3; cuts++) {
      for (let i = 0; i < 300; i++) {
        made++
        void client.invoke(i % 2 ? 'add' : 'slow', { a: 1, b: 2, ms: 2000, value: 3 }).then(
          value => settled.push(String(value)),
          (error: BusError) => settled.push(`${error.reason} ${(error.data as { delivered: string }).delivered}`),
        )
      }
      await expect.poll(() => settled.length, { interval: 5 }).toBeGreaterThan(cuts * 300)
      cut(far)
      await eventually(() => client.invoke('add', { a: 1, b: 2 }))
    }
    await expect.poll(() => settled.length).toBe(made)
    expect([...new Set(settled)].toSorted()).toEqual(['3', 'Disconnected unknown'])
    expect(far.sessions).toHaveLength(4)
    await client.emit('tick', 1)
    await expect.poll(() => heard).toEqual([1])
    expect(far.sessions.map(session => session.told)).toEqual([['begin'], [], [], []])
    expect(told).toEqual([])
    expect(joined.stats().frontends['tests']).toMatchObject({ state: 'running', restarts: 0 })
  })

  test('a worker goes on as it was', async () => {
    const far = await startFar(pattern)
    const joined = await join(far, { app, frontends: { main: { module: fixture('exposing.mjs'), sandbox: 'none' } } })
    const told = watch(joined)
    await expect.poll(() => far.sessions[0]?.told, { timeout: 20_000 }).toEqual(['begin'])
    const echo = (n: number) => eventually(() => far.app.call('main', 'echo', { n }))
    for (const n of [1, 2, 3]) {
      expect(await echo(n)).toEqual({ n })
      if (n < 3) cut(far)
    }
    expect(told).toEqual([])
    expect(joined.stats().frontends['main']).toMatchObject({ restarts: 0 })
    expect(far.sessions.map(session => session.told)).toEqual([['begin'], [], []])
  })

  test('calls made meanwhile reject, and were not delivered; those after are answered', async () => {
    const far = await startFar(pattern)
    const joined = await join(far, { app })
    const client = await joined.connect('tests')
    far.refuses = nobody()
    cut(far)
    await expect.poll(() => far.asked).toBeGreaterThan(2)
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject(gone('no'))
    await expect(client.emit('tick')).rejects.toMatchObject(gone('no'))
    far.refuses = undefined
    expect(await eventually(() => client.invoke('add', { a: 1, b: 2 }))).toBe(3)
  })

  test('a frontend that core takes no more has failed, and says why', async () => {
    const far = await startFar(pattern)
    const joined = await join(far, { app })
    const told = watch(joined)
    const client = await joined.connect('tests')
    far.refuses = new BusError('Denied', 'the credential was revoked')
    cut(far)
    await client.closed
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({
      ...gone('no'),
      message: expect.stringContaining('the credential was revoked'),
    })
    expect(told).toEqual(['fault', 'failed'])
    far.refuses = undefined
    expect(await (await joined.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
  })
})

test('a frontend in a process is reloaded, however long it takes, which is no failure', async () => {
  const far = await startFar()
  const module = fixture('exposing.mjs')
  const joined = await join(far, { frontends: { main: { module, sandbox: 'process' } } })
  const told = watch(joined)
  const echo = () => eventually(() => far.app.call('main', 'echo', { n: 1 }))
  expect(await echo()).toEqual({ n: 1 })
  far.refuses = nobody()
  const before = far.asked
  cut(far)
  // Longer than a process lives whose pipes have ended.
  await expect.poll(() => far.asked - before, { timeout: 20_000 }).toBeGreaterThan(5)
  far.refuses = undefined
  expect(await echo()).toEqual({ n: 1 })
  expect(joined.stats().frontends['main']).toMatchObject({ restarts: 0 })
  expect(far.sessions).toHaveLength(2)
  expect(told).toEqual([])
})

test('a worker that ends its link itself is started again', async () => {
  const far = await startFar()
  const main = { module: fixture('reborn-frontend.mjs'), link: 'port', sandbox: 'none' } as const
  const joined = await join(far, { frontends: { main }, supervision: { delay: { min: 20, max: 100 } } })
  const told = watch(joined)
  await expect.poll(() => far.sessions[0]?.told, { timeout: 20_000 }).toEqual(['begin'])
  await far.app.call('main', 'end', { how: 'drop' }).catch(() => {})
  await expect
    .poll(() => far.sessions.map(session => session.told), { timeout: 20_000 })
    .toEqual([['begin', 'end'], ['begin']])
  expect(told).toEqual(['fault', 'restart'])
})
