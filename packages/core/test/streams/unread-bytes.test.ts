// Frontend workers whose streams and channels send more than core has granted: each ends, and no other is affected.
import { Channel } from '@sallyport/frontend'
import { expect, test } from 'vitest'
import type { Bus, BusOptions } from '../../src/index.js'
import { fixture, patterns, start } from '../support/start.js'

const open = async (app: Partial<BusOptions> = {}): Promise<Bus> => {
  const bus = await start({ ...app, supervision: { restart: 'temporary' } })
  await bus.open('bad', fixture('streams/overdraws.mjs'), { sandbox: 'none' })
  await bus.open('good', fixture('streams/producer.mjs'))
  return bus
}

const VIOLATION = 'more than 1048576 bytes of a stream are unread'

test.each(patterns)('a stream that sends more than was granted ends its frontend alone: %s', async (_name, app) => {
  const bus = await open(app)
  const faults: { label: string; error: Error }[] = []
  bus.on('fault', fault => faults.push(fault as (typeof faults)[number]))
  const good = bus.stream('good', 'upTo', { count: 1000 })
  expect(await good.next()).toEqual({ done: false, value: 0 })
  const bad = bus.stream<string>('bad', 'values')
  expect((await bad.next()).value).toHaveLength(2 ** 20)
  await expect
    .poll(() => faults.map(({ label, error }) => [label, error.message]))
    .toEqual([['bad', expect.stringContaining(VIOLATION)]])
  const readRest = async (): Promise<void> => {
    for await (const _value of bad);
  }
  await expect(readRest()).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(bus.call('bad', 'alive')).rejects.toMatchObject({ reason: 'Disconnected' })
  let count = 1
  for await (const _value of good) count++
  expect(count).toBe(1000)
})

test('a channel that sends more than was granted ends its frontend', async () => {
  const bus = await open()
  const fault = new Promise(resolve => bus.on('fault', resolve))
  const progress = new Channel<string>()
  const call = bus.call('bad', 'report', { progress }, { timeout: false }).catch((error: unknown) => error)
  expect(await fault).toMatchObject({ label: 'bad', error: { message: expect.stringContaining(VIOLATION) as string } })
  expect(await call).toMatchObject({ reason: 'Disconnected' })
})

test('a frontend that violates the protocol restarts, and evaluates its module again', async () => {
  const bus = await start()
  await bus.open('bad', fixture('streams/overdraws.mjs'), { sandbox: 'none' })
  const birth = await bus.call('bad', 'alive')
  const restart = new Promise(resolve => bus.on('restart', resolve))
  const message = expect.stringContaining(VIOLATION) as string
  bus.call('bad', 'report', { progress: new Channel<string>() }, { timeout: false }).catch(() => {})
  expect(await restart).toMatchObject({ label: 'bad', worker: 'frontend', restarts: 1, error: { message } })
  await expect.poll(() => bus.call('bad', 'alive').catch(() => 'not yet')).not.toBe('not yet')
  expect(await bus.call('bad', 'alive')).not.toBe(birth)
})

test('values that a toJSON makes large count with the bytes that were sent', async () => {
  const bus = await start()
  await bus.open('main', fixture('streams/hidden-size.mjs'))
  const faults: unknown[] = []
  bus.on('fault', fault => faults.push(fault))
  let produced = 0
  await bus.listen<number>('produced', ({ payload }) => void (produced = payload))
  const stream = bus.stream<string>('main', 'values', { count: 24 })
  for (let i = 0; i < 3; i++) expect((await stream.next()).value).toHaveLength(2 ** 20)
  await expect.poll(() => produced).toBeGreaterThan(4)
  for (let call = 0; call < 50; call++) await bus.call('main', 'alive')
  // As of values whose size is no secret: 1 MiB and two values more between frontend and core, 4 MiB and one more between core and host.
  expect(produced).toBeLessThan(14)
  let count = 3
  for await (const _value of stream) count++
  expect([count, faults]).toEqual([24, []])
})
