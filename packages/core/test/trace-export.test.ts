// The trace of a run, as a file: it is JSON, and has each call once for each side that it has, in the order of one clock.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BusOptions } from '../src/index.js'
import { traceToFile, type TraceEvent } from '../src/trace-export.js'
import { traceLine } from '../src/trace-export.js'
import { fixture, isolation, next, start } from './start.js'

const names = ['greet', 'later', 'fails', 'call-frontend', 'trace']
const capability = { identifier: 'traced', windows: ['*'], permissions: names.map(name => `allow-${name}`) }
const apps: [name: string, app: NonNullable<BusOptions['app']>][] = [
  ['brownfield', { security: { capabilities: [capability] } }],
  ['isolation', isolation('judge', {}, capability)],
]

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sallyport-trace-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const read = async (file: string): Promise<TraceEvent[]> => JSON.parse(await readFile(file, 'utf8')) as TraceEvent[]

describe.each(apps)('%s', (name, app) => {
  test('has what the host, core and a frontend saw', async () => {
    const path = join(folder, `${name}.json`)
    process.env['SALLYPORT_TEST_TRACE'] = path
    const file = traceToFile(path)
    const from = Date.now() * 1000
    const bus = await start({
      core: fixture('trace-core.mjs'),
      frontends: { main: fixture('trace-frontend.mjs') },
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
    // One of them is the frontend's.
    expect(counts('invoke', 'greet')).toEqual([21, 21, 0])
    expect(counts('command', 'greet')).toEqual([21, 21, 21])
    expect(counts('invoke', 'later')).toEqual([2, 2, 0])
    expect(counts('command', 'later')).toEqual([2, 2, 2])
    expect(counts('call', 'greets')).toEqual([1, 1, 0])
    expect(counts('exposed', 'greets')).toEqual([1, 1, 1])
    // What hands in the trace is no part of it where it is made.
    expect(count('invoke', 'b', 'trace')).toBe(0)
    expect(events.filter(({ ph, name: event }) => ph === 'i' && event === 'ping').length).toBeGreaterThanOrEqual(2)
    const failed = events.filter(({ ph, name: command }) => ph === 'e' && command === 'fails')
    expect(failed.map(({ args }) => args?.['error'])).toEqual(['CommandFailed', 'CommandFailed'])

    const threads = new Map(events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [args?.['name'], tid]))
    const tidOf = (cat: string): Set<number> => new Set(events.filter(event => event.cat === cat).map(({ tid }) => tid))
    expect(tidOf('command')).toEqual(new Set([threads.get('core')]))
    expect(tidOf('exposed')).toEqual(new Set([threads.get('main')]))
    expect(tidOf('invoke')).toEqual(new Set([threads.get('host'), threads.get('main')]))

    const timed = events.filter(({ ph }) => ph !== 'M')
    for (const { ts, dur = 0 } of timed) expect(ts > from - 1000 && ts + dur < to).toBe(true)
    // Each side of a call by its label and id, from its begin to its end.
    const open = new Map<string, number>()
    for (const { ph, cat, id, ts } of timed.filter(event => event.id !== undefined)) {
      const key = `${cat} ${id}`
      if (ph === 'e') expect(open.get(key)).toBeLessThanOrEqual(ts)
      expect(open.has(key)).toBe(ph === 'e')
      if (ph === 'e') open.delete(key)
      else open.set(key, ts)
    }
    // The frontend's last is what ended its recording.
    expect([...open.keys()].filter(key => !key.startsWith('exposed'))).toEqual([])
    expect(open.size).toBe(1)
  })
})

test('a file that begins anew has nothing of the one before, and a second stop does nothing', async () => {
  const path = join(folder, 'again.json')
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

const event = { name: 'greet', cat: 'invoke', ph: 'b', ts: 1, pid: 1, tid: 1, id: 'main:1' }

test.each<[string, unknown, object | undefined]>([
  ['nothing', null, undefined],
  ['a text', 'x', undefined],
  ['bytes', new Uint8Array(9), undefined],
  ['no name', { ...event, name: 1 }, undefined],
  ['another phase', { ...event, ph: 'C' }, undefined],
  ['a time that is none', { ...event, ts: Number.NaN }, undefined],
  ['more than it has', { ...event, stack: 'payload' }, event],
  ['too much', { ...event, name: 'x'.repeat(1e6) }, { ...event, name: 'x'.repeat(200) }],
  [
    'arguments',
    { ...event, args: { n: 1, deep: { x: 1 }, s: 'y'.repeat(999) } },
    { ...event, args: { n: 1, s: 'y'.repeat(200) } },
  ],
])('of what a frontend hands in: %s', (_what, given, kept) => {
  const line = traceLine(given)
  expect(line === '' ? undefined : JSON.parse(line)).toEqual(kept)
})
