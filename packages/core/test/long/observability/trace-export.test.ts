// The trace of a run as a JSON file: it contains each side of each call once, by one clock.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BusOptions } from '../../../src/index.js'
import type { TraceEvent } from '@sallyport/frontend/trace-export'
import { traceToFile } from '../../../src/trace-export.js'
import { fixture, isolation, next, start } from '../../support/start.js'

const names = ['greet', 'later', 'fails', 'call-frontend', 'trace']
const capability = { identifier: 'traced', windows: ['*'], permissions: names.map(name => `allow-${name}`) }
const apps: [name: string, app: NonNullable<BusOptions['app']>][] = [
  ['brownfield', { security: { capabilities: [capability] } }],
  ['isolation', isolation('judge', {}, capability)],
]

let directory: string
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'sallyport-trace-'))))
afterAll(() => rm(directory, { recursive: true, force: true }))

const read = async (file: string): Promise<TraceEvent[]> => JSON.parse(await readFile(file, 'utf8')) as TraceEvent[]

describe.each(apps)('%s', (name, app) => {
  test('contains the calls and events of host, core and a frontend', async () => {
    const path = join(directory, `${name}.json`)
    process.env['SALLYPORT_TEST_TRACE'] = path
    const file = traceToFile(path)
    const from = Date.now() * 1000
    const bus = await start({
      core: fixture('observability/trace-core.mjs'),
      frontends: { main: fixture('observability/trace-frontend.mjs') },
      app,
    })
    await next(bus, 'ready')
    const client = await bus.connect('tests')
    for (let i = 0; i < 20; i++) await client.invoke('greet', { name: 'payload' })
    await Promise.all([client.invoke('later'), client.invoke('later')])
    await expect(client.invoke('fails')).rejects.toMatchObject({ reason: 'CommandFailed' })
    await client.invoke('call_frontend')
    await client.emit('ping', 'payload')
    await bus.call('main', 'stops')
    await bus.close()
    file.stop()
    const to = (Date.now() + 1) * 1000

    const text = await readFile(path, 'utf8')
    expect(text).not.toContain('payload')
    const events = await read(path)
    const count = (cat: string, ph: string, command: string): number =>
      events.filter(event => event.cat === cat && event.ph === ph && event.name === command).length
    const counts = (cat: string, command: string): number[] => ['b', 'e', 'X'].map(ph => count(cat, ph, command))
    // The frontend makes one of the calls.
    expect(counts('invoke', 'greet')).toEqual([21, 21, 0])
    expect(counts('command', 'greet')).toEqual([21, 21, 21])
    expect(counts('invoke', 'later')).toEqual([2, 2, 0])
    expect(counts('command', 'later')).toEqual([2, 2, 2])
    expect(counts('call', 'greets')).toEqual([1, 1, 0])
    expect(counts('exposed', 'greets')).toEqual([1, 1, 1])
    // The call that transfers the trace is not recorded by its caller.
    expect(count('invoke', 'b', 'trace')).toBe(0)
    expect(events.filter(({ ph, name: event }) => ph === 'i' && event === 'ping').length).toBeGreaterThanOrEqual(2)
    const failed = events.filter(({ ph, name: command }) => ph === 'e' && command === 'fails')
    expect(failed.map(({ args }) => args?.['error'])).toEqual(['CommandFailed', 'CommandFailed'])

    const threads = new Map(events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [args?.['name'], tid]))
    const getThreads = (cat: string): Set<number> =>
      new Set(events.filter(event => event.cat === cat).map(({ tid }) => tid))
    expect(getThreads('command')).toEqual(new Set([threads.get('core')]))
    expect(getThreads('exposed')).toEqual(new Set([threads.get('main')]))
    expect(getThreads('invoke')).toEqual(new Set([threads.get('host'), threads.get('main')]))

    const timed = events.filter(({ ph }) => ph !== 'M')
    for (const { ts, dur = 0 } of timed) expect(ts > from - 1000 && ts + dur < to).toBe(true)
    // Begin and end of each side of a call, by label and id.
    const open = new Map<string, number>()
    for (const { ph, cat, id, ts } of timed.filter(event => event.id !== undefined)) {
      const key = `${cat} ${id}`
      if (ph === 'e') expect(open.get(key)).toBeLessThanOrEqual(ts)
      expect(open.has(key)).toBe(ph === 'e')
      if (ph === 'e') open.delete(key)
      else open.set(key, ts)
    }
    // The last call of the frontend ended its recording.
    expect([...open.keys()].filter(key => !key.startsWith('exposed'))).toEqual([])
    expect(open.size).toBe(1)
  })
})

test('overwrites a previous file, and stops once', async () => {
  const path = join(directory, 'again.json')
  traceToFile(path, { name: 'before' }).stop()
  const file = traceToFile(path, { name: 'after' })
  file.stop()
  file.stop()
  file.write([{ name: 'late', cat: '', ph: 'i', ts: 1, pid: 1, tid: 1 }])
  expect((await read(path)).map(({ name, args }) => [name, args?.['name']])).toEqual([
    ['thread_name', 'after'],
    ['end', undefined],
  ])
})

const traceEvent = { name: 'greet', cat: 'invoke', ph: 'b', ts: 1, pid: 1, tid: 1, id: 'main:1' }

test.each<[string, unknown, object | undefined]>([
  ['nothing', null, undefined],
  ['a string', 'x', undefined],
  ['bytes', new Uint8Array(9), undefined],
  ['an invalid name', { ...traceEvent, name: 1 }, undefined],
  ['an unknown phase', { ...traceEvent, ph: 'C' }, undefined],
  ['an invalid time', { ...traceEvent, ts: Number.NaN }, undefined],
  ['unknown members', { ...traceEvent, stack: 'payload' }, traceEvent],
  ['a long name', { ...traceEvent, name: 'x'.repeat(1e6) }, { ...traceEvent, name: 'x'.repeat(200) }],
  [
    'arguments',
    { ...traceEvent, args: { n: 1, deep: { x: 1 }, s: 'y'.repeat(999) } },
    { ...traceEvent, args: { n: 1, s: 'y'.repeat(200) } },
  ],
])('writes events of frontends within bounds: %s', async (_what, value, kept) => {
  const path = join(directory, 'bounds.json')
  const file = traceToFile(path)
  file.write([value])
  file.stop()
  const written = await read(path)
  expect(written.filter(({ ph }) => ph !== 'M')).toEqual(kept ? [kept] : [])
})
