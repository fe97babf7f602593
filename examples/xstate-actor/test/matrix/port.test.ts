// The port over real threads: the permissions of each frontend, and the states that it sees.
import { createBus, type Bus } from '@sallyport/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PortEvent, PortView } from '../../core.js'
import { remoteActor } from '../../remote-actor.js'

const open = { type: 'OPEN', door: 'outer', watchword: 'portcullis' } as const
let bus: Bus

beforeEach(async () => {
  bus = await createBus({
    core: new URL('../../core.js', import.meta.url),
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
  const port = await remoteActor<PortView, PortEvent>('port', client)
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
  const ended = new Promise<void>(resolve => port.subscribe({ complete: resolve }))
  await client.invoke('siege')
  await ended
  expect(port.getSnapshot().value).toBe('barred')
  await expect(port.send(open)).rejects.toMatchObject({ commandCode: 'ENDED' })
})

test('follows the new actor after core has restarted, with its last snapshot until then', async () => {
  const { client, port, seen } = await as('guard')
  await port.send(open)
  await expect.poll(() => seen).toEqual(['open', 'shut'])
  await bus.reload('core')
  expect(port.getSnapshot()).toMatchObject({ passages: expect.any(Number) as number })
  await expect.poll(() => port.getSnapshot()).toEqual({ value: 'shut', draught: false, passages: 0 })
  await client.invoke('siege')
  await expect.poll(() => port.getSnapshot().value).toBe('barred')
})
