// A connection with sessions to several cores: each call is one core's, and a core that is gone takes only its own calls along.
import { expect, test } from 'vitest'
import { BusError } from '@sallyport/protocol'
import type { SessionDialer, RemoteHostOptions } from '../../src/network.js'
import { defineCore } from '../../src/index.js'
import { fixture } from '../start.js'
import { join, startFar, type Far } from './joined.js'

const patterns = [
  ['brownfield', undefined],
  ['isolation', { security: { pattern: { use: 'isolation', options: { dir: fixture('hooks/judge/') } } } }],
] as const satisfies [string, RemoteHostOptions['app']][]

async function start(pattern: 'brownfield' | 'isolation', names: readonly string[]) {
  const held: (() => void)[] = []
  const instance = (name: string): Promise<Far> =>
    startFar(
      pattern,
      defineCore({
        commands: { who: () => name, hold: () => new Promise<string>(resolve => held.push(() => resolve(name))) },
        setup: app => void app.listen('ping', event => app.emit('pong', `${name} ${String(event.payload)}`)),
      }),
      { identifier: 'main', windows: ['*'], permissions: ['allow-who', 'allow-hold'] },
    )
  const fars = new Map(await Promise.all(names.map(async name => [name, await instance(name)] as const)))
  const gone = new Set<string>()
  const far: SessionDialer = {
    async open({ label: name, ...rest }) {
      if (gone.has(name)) throw new BusError('Cancelled', 'gone')
      return fars.get(name)!.open({ label: 'main', ...rest })
    },
  }
  const lose = (name: string): void => {
    gone.add(name)
    for (const { link } of fars.get(name)!.sessions) link.close()
  }
  return { far, held, lose, letGo: () => held.splice(0).forEach(go => go()) }
}

test.each(patterns)('%s', async (pattern, app) => {
  const { far, held, lose, letGo } = await start(pattern, ['a', 'b', 'c'])
  const joined = await join(far, { ...(app && { app }) })
  const { client } = await joined.addSession({ label: 'main', name: 'a' })
  const [b] = await Promise.all(['b', 'c'].map(name => joined.addSession({ label: 'main', name, client })))
  expect(client.label).toBe('main')
  expect(new Set(await Promise.all([1, 2, 3].map(() => client.invoke('who'))))).toEqual(new Set(['a', 'b', 'c']))

  const heard: unknown[] = []
  await client.listen('pong', ({ payload }) => void heard.push(payload))
  await client.emit('ping', 1)
  await expect.poll(() => heard).toEqual(['a 1'])

  const holding = [1, 2, 3].map(() => client.invoke('hold'))
  const settled = Promise.allSettled(holding)
  await expect.poll(() => held.length).toBe(3)
  lose('a')
  await expect.poll(() => heard.length > 1 || client.emit('ping', 2).then(() => heard.length > 1)).toBe(true)
  expect(heard.at(-1)).toMatch(/^[bc] 2$/)
  expect(new Set(await Promise.all([1, 2].map(() => client.invoke('who'))))).toEqual(new Set(['b', 'c']))
  letGo()
  const outcomes = (await settled).map(one =>
    one.status === 'fulfilled' ? String(one.value) : String(one.reason.reason),
  )
  expect(outcomes.toSorted()).toEqual(['Disconnected', 'b', 'c'])

  lose('b')
  expect(await b!.closed).toMatchObject({ reason: 'Cancelled' })
  await expect.poll(() => client.invoke('who')).toBe('c')
  await client.close()
  expect(joined.stats().frontends).toEqual({})
})

test('a name is one lane’s, and a lane that is refused leaves the others', async () => {
  const { far } = await start('brownfield', ['a'])
  const joined = await join(far)
  const { client } = await joined.addSession({ label: 'main', name: 'a' })
  await expect(joined.addSession({ label: 'main', name: 'a', client })).rejects.toMatchObject({
    reason: 'InvalidParams',
  })
  await expect(joined.addSession({ label: '!', name: 'b', client })).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(await client.invoke('who')).toBe('a')
})
