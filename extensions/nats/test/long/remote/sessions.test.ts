// A connection with sessions to several cores: each call goes to one core, and a lost core affects only its own calls.
import { expect, test } from 'vitest'
import { BusError } from '@sallyport/protocol/internal/errors'
import { choose } from '../../../../../scripts/testing.js'
import type { RemoteHostOptions } from '@sallyport/core/internal/network'
import type { SessionDialer } from '../../../src/client/remote-core.js'
import { defineCore } from '../../../../../packages/core/src/index.js'
import { fixture } from '../../../../../packages/core/test/support/start.js'
import { join, startCore, type FakeCore } from './fake-core.js'

const patterns = [
  ['brownfield', {}],
  ['isolation', { isolation: { dir: fixture('isolation/hooks/judge/') } }],
] as const satisfies [string, RemoteHostOptions][]

async function start(pattern: 'brownfield' | 'isolation', names: readonly string[]) {
  const held: (() => void)[] = []
  const startInstance = (name: string): Promise<FakeCore> =>
    startCore(
      pattern,
      defineCore({
        commands: { who: () => name, hold: () => new Promise<string>(resolve => held.push(() => resolve(name))) },
        setup: app => void app.listen('ping', event => app.emit('pong', `${name} ${String(event.payload)}`)),
      }),
      { identifier: 'main', windows: ['*'], permissions: ['allow-who', 'allow-hold'] },
    )
  const cores = new Map(await Promise.all(names.map(async name => [name, await startInstance(name)] as const)))
  const lost = new Set<string>()
  const dialer: SessionDialer = {
    async open({ label: name, ...rest }) {
      if (lost.has(name)) throw new BusError('Cancelled', 'gone')
      return cores.get(name)!.open({ label: 'main', ...rest })
    },
  }
  const lose = (name: string): void => {
    lost.add(name)
    for (const { link } of cores.get(name)!.sessions) link.close()
  }
  return { dialer, held, lose, releaseAll: () => held.splice(0).forEach(release => release()) }
}

test.each(choose(patterns))('spreads calls over all sessions until their cores are lost: %s', async (pattern, app) => {
  const { dialer, held, lose, releaseAll } = await start(pattern, ['a', 'b', 'c'])
  const host = await join(dialer, app)
  const reported: string[] = []
  for (const name of ['fault', 'failed'] as const)
    host.on(name, ({ error }) => reported.push(`${name}: ${error.message}`))
  const { client } = await host.host.connect('main', {}, { name: 'a', client: undefined })
  const [b] = await Promise.all(['b', 'c'].map(name => host.host.connect('main', {}, { name, client })))
  expect(client.label).toBe('main')
  expect(new Set(await Promise.all([1, 2, 3].map(() => client.invoke('who'))))).toEqual(new Set(['a', 'b', 'c']))

  const pongs: unknown[] = []
  await client.listen('pong', ({ payload }) => void pongs.push(payload))
  await client.emit('ping', 1)
  await expect.poll(() => pongs).toEqual(['a 1'])

  const settled = Promise.allSettled([1, 2, 3].map(() => client.invoke('hold')))
  await expect.poll(() => held.length).toBe(3)
  lose('a')
  await expect.poll(() => pongs.length > 1 || client.emit('ping', 2).then(() => pongs.length > 1)).toBe(true)
  expect(pongs.at(-1)).toMatch(/^[bc] 2$/)
  expect(new Set(await Promise.all([1, 2].map(() => client.invoke('who'))))).toEqual(new Set(['b', 'c']))
  releaseAll()
  const outcomes = (await settled).map(outcome =>
    outcome.status === 'fulfilled' ? String(outcome.value) : String(outcome.reason.reason),
  )
  expect(outcomes.toSorted()).toEqual(['Disconnected', 'b', 'c'])

  lose('b')
  expect(await b!.closed).toMatchObject({ reason: 'Cancelled' })
  await expect.poll(() => client.invoke('who')).toBe('c')
  // The others go on, so that nothing has failed.
  expect(reported).toEqual([])
  await client.close()
  expect(host.stats().frontends).toEqual({})
})

test('rejects a second session of the same name and an invalid label, and keeps the others', async () => {
  const { dialer } = await start('brownfield', ['a'])
  const host = await join(dialer)
  const { client } = await host.host.connect('main', {}, { name: 'a', client: undefined })
  const invalid = { reason: 'InvalidParams' }
  await expect(host.host.connect('main', {}, { name: 'a', client })).rejects.toMatchObject(invalid)
  await expect(host.host.connect('!', {}, { name: 'b', client })).rejects.toMatchObject(invalid)
  expect(await client.invoke('who')).toBe('a')
})
