// Data that a host passes to a frontend: a copy of anything that can be cloned.
import { describe, expect, test } from 'vitest'
import { fixture, next, patterns, places, reuseBus, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const module = fixture('calls/report-data.mjs')
const buses = new Map(patterns.map(([, app]) => [app, reuseBus(app)]))

describe.each(choose(places))('data: %s', (_name, app, sandbox) => {
  test('is available to a frontend from its start', async () => {
    const data = { map: new Map([[1, new Date(0)]]), bytes: 'some' }
    const bus = await start({ ...app, frontends: { main: { module, data, sandbox } } })
    data.bytes = 'changed too late'
    expect(await next(bus, 'data')).toEqual({
      label: 'main',
      data: { map: { 1: '1970-01-01T00:00:00.000Z' }, bytes: 'some' },
      isMap: true,
    })
    expect((await bus.connect('tests')).data).toBeUndefined()
  })

  test('is passed to frontends that are opened later', async () => {
    const bus = await buses.get(app)!()
    const event = next(bus, 'data')
    await bus.open('later', module, { data: [1, 2], sandbox })
    expect(await event).toEqual({ label: 'later', data: [1, 2], isMap: false })
    const data = { set: new Set([1]) }
    const client = await bus.connect('tests', { data })
    expect(client.data).toEqual({ set: new Set([1]) })
    expect(client.data).not.toBe(data)
  })
})

test.each(patterns)('data is undefined by default: %s', async (_name, app) => {
  const bus = await start({ ...app, frontends: { main: { module } } })
  expect(await next(bus, 'data')).toEqual({ label: 'main', isMap: false })
})

test('data that cannot be cloned is rejected before anything starts, by its option', async () => {
  const data = { nested: { call: () => {} } }
  const refused = (message: RegExp) => ({
    reason: 'InvalidParams',
    message: expect.stringMatching(message) as string,
  })
  const core = 'data:text/javascript,process.exit(3)'
  await expect(start({ core, frontends: { main: { module, data } } })).rejects.toMatchObject(
    refused(/^createBus: frontends\.main\.data cannot be cloned: .*=>.* could not be cloned/),
  )
  const bus = await start()
  await expect(bus.open('a', module, { data })).rejects.toMatchObject(refused(/^bus\.open: data cannot be cloned/))
  await expect(bus.connect('a', { data })).rejects.toMatchObject(refused(/^bus\.connect: data cannot be cloned/))
  expect((await bus.connect('a')).label).toBe('a')
})

test('large data reaches a process completely, and must be serializable', async () => {
  const bus = await start()
  const shared = new SharedArrayBuffer(4)
  const open = (data: unknown) => bus.open('main', module, { data, sandbox: 'process' })
  for (const data of [{ shared }, new Blob(['x']), new WebAssembly.Module(Buffer.from('\0asm\x01\0\0\0'))]) {
    await expect(open(data)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(/^bus\.open: data cannot be sent to another process: /) as string,
    })
  }
  const event = next(bus, 'data')
  await open('x'.repeat(5e6))
  expect(await event).toMatchObject({ data: 'x'.repeat(5e6) })
})
