// Work in the pool does not block core, has the same result, and ends with its call.
import { createBus, type Bus, type Client } from '@sallyport/core'
import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { draw, measure } from '../../measure.js'
import render from '../../render.js'

const picture = { columns: 60, height: 16, steps: 100 }
const heavy = { top: 6, rows: 4, columns: 60, height: 16, steps: 400_000 }
const endless = { ...heavy, steps: Number.MAX_SAFE_INTEGER }
let bus: Bus
let client: Client

beforeAll(async () => {
  bus = await createBus({ core: new URL('../../core.js', import.meta.url), log: false })
  client = await bus.connect('tests')
})
afterAll(() => bus.close())

test('core and the pool return the same picture', async () => {
  const expected = render({ ...picture, top: 0, rows: picture.height }).join('\n')
  expect(expected).toContain('@@@@@@')
  expect(await draw(client, 'render_in_core', picture)).toBe(expected)
  expect(await draw(client, 'render_in_pool', picture)).toBe(expected)
})

test.each([
  ['render_in_core', ['picture', 'ping']],
  ['render_in_pool', ['ping', 'picture']],
])('during %s the results arrive in the order %s', async (command, expected) => {
  const settled: string[] = []
  await Promise.all([
    client.invoke(command, heavy).then(() => settled.push('picture')),
    client.invoke('ping').then(() => settled.push('ping')),
  ])
  expect(settled).toEqual(expected)
})

test('work whose call is cancelled ends, and frees its thread', async () => {
  const controller = new AbortController()
  const calls = Array.from({ length: 4 * availableParallelism() }, () =>
    client.invoke('render_in_pool', endless, { signal: controller.signal }),
  )
  const settled = Promise.allSettled(calls)
  expect(await client.invoke('ping')).toBe('pong')
  controller.abort()
  for (const outcome of await settled) expect(outcome).toMatchObject({ reason: { reason: 'Cancelled' } })
  expect(await client.invoke('render_in_pool', { ...picture, top: 0, rows: 1 })).toHaveLength(1)
})

test('arguments are checked before a thread is used', async () => {
  const error = { reason: 'InvalidParams', message: expect.stringContaining('rows') }
  await expect(client.invoke('render_in_pool', { ...heavy, rows: 0 })).rejects.toMatchObject(error)
})

test('the duration of pings is measured until the work ends', async () => {
  const { result, took, pings } = await measure(client, draw(client, 'render_in_pool', { ...picture, steps: 100_000 }))
  expect(result.split('\n')).toHaveLength(16)
  expect(pings.length).toBeGreaterThan(0)
  expect(Math.max(...pings)).toBeLessThan(took)
})
