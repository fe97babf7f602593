// The port over real threads: the permissions of each frontend, and the states that it sees.
import { createBus, type Bus } from '@sallyport/core'
import { remoteActor, type RemoteActorOf } from '@sallyport/frontend/xstate'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type core from '../core.js'

type Port = RemoteActorOf<typeof core, 'port'>
const open = { type: 'OPEN', door: 'outer', watchword: 'portcullis' } as const
let bus: Bus

beforeEach(async () => {
  bus = await createBus({
    core: new URL('../core.js', import.meta.url),
    log: false,
    capabilities: [
      { identifier: 'watch', windows: ['watcher', 'guard'], permissions: ['port:allow-subscribe'] },
      { identifier: 'guard', windows: ['guard'], permissions: ['port:allow-send', 'allow-siege'] },
    ],
  })
})
afterEach(() => bus.close())

const as = async (label: string) => {
  const client = await bus.connect(label)
  const port = await remoteActor<Port>('port', { client })
  const seen: unknown[] = []
  port.subscribe(({ value }) => seen.push(value))
  return { client, port, seen }
}

test('every frontend sees it open, and close by itself', async () => {
  const [guard, watcher] = [await as('guard'), await as('watcher')]
  await guard.port.send(open)
  for (const { seen } of [guard, watcher]) await expect.poll(() => seen).toEqual(['open', 'shut'])
  expect(watcher.port.getSnapshot()).toEqual({ value: 'shut', draught: false, passages: 1 })
})

test('a wrong watchword changes no visible state', async () => {
  const { port, seen } = await as('guard')
  await port.send({ ...open, watchword: 'drawbridge' })
  await port.send(open)
  await expect.poll(() => seen).toEqual(['open', 'shut'])
})

test('a frontend that can only subscribe cannot open it', async () => {
  const { port, seen } = await as('watcher')
  await expect(port.send(open)).rejects.toMatchObject({ reason: 'Denied' })
  expect([port.getSnapshot().value, seen]).toEqual(['shut', []])
})

test('only core can begin a siege, which ends the actor', async () => {
  const { client, port } = await as('guard')
  const siege = client.invoke('plugin:port|send', { event: { type: 'SIEGE' } })
  await expect(siege).rejects.toMatchObject({ reason: 'InvalidParams' })
  const ended = new Promise<void>(complete => port.subscribe({ complete }))
  await client.invoke('siege')
  await ended
  expect(port.getSnapshot().value).toBe('barred')
  await expect(port.send(open)).rejects.toMatchObject({ reason: 'InvalidRequest' })
})
