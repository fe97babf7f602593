// Quotas of calls over real links: which calls count, for which frontends, and for how long.
import { pino } from 'pino'
import type { CallQuota } from '../../src/contract/host-core.js'
import { describe, expect, test } from 'vitest'
import type { BusOptions, Client } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const names = [
  'touch',
  'touch-later',
  'fail',
  'fail-at-once',
  'hold',
  'held',
  'release',
  'flow',
  'few',
  'taken',
  'ran',
  'exit',
]
const permissions = [...names.map(name => `allow-${name}`), 'notes:allow-read', 'notes:allow-list']
const all = { identifier: 'all', windows: ['*'], permissions }
const app = { capabilities: [all] }
/** Allows one call, and no other while a test runs. */
const once = { rate: 1e-6 }

const core = fixture('permissions/counted.mjs')
const limit = (quotas: readonly CallQuota[], options: Partial<BusOptions> = {}): ReturnType<typeof start> =>
  start({ core, ...app, calls: { quotas }, ...options })

const outcomes = async (calls: readonly Promise<unknown>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { status, reason } of (await Promise.allSettled(calls)) as {
    status: string
    reason?: { reason: string }
  }[]) {
    const name = reason?.reason ?? status
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
const many = (count: number, client: Client, command: string): Promise<Record<string, number>> =>
  outcomes(Array.from({ length: count }, () => client.invoke(command)))

test('concurrency: a stream that cannot be read no longer counts', async () => {
  const bus = await limit([{ commands: ['taken'], concurrency: 1 }])
  const client = await bus.connect('tests')
  const streams = (): Promise<unknown>[] => [client.stream('taken').next()]
  for (let n = 0; n < 3; n++) expect(await outcomes(streams())).toEqual({ CommandFailed: 1 })
})

describe.each(
  choose([
    ['brownfield', app],
    ['isolation', isolation('judge', {}, all)],
  ]),
)('%s', (_name, pattern) => {
  test('rate: a flood is rejected with a time to retry, and calls of other frontends are served', async () => {
    const bus = await limit([{ labels: ['plugin-*'], commands: ['touch*'], rate: 0.01 }], { ...pattern })
    const [flooding, other, free] = [
      await bus.connect('plugin-a'),
      await bus.connect('plugin-b'),
      await bus.connect('main'),
    ]
    const flood = many(3000, flooding, 'touch')
    expect(await other.invoke('touch_later')).toBeTypeOf('number')
    expect(await many(500, free, 'touch')).toEqual({ fulfilled: 500 })
    expect(await flood).toEqual({ fulfilled: 1, Overloaded: 2999 })
    const error = await flooding.invoke('touch').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      reason: 'Overloaded',
      message: 'The quota of command "touch" of frontend "plugin-a" allows no more calls now',
    })
    const { retryAfter } = (error as { data: { retryAfter: number } }).data
    expect(Number.isInteger(retryAfter) && retryAfter > 50_000 && retryAfter <= 100_000).toBe(true)
    // Each command has its own quota.
    expect(await flooding.invoke('touch_later')).toBeTypeOf('number')
    expect(await flooding.invoke('ran')).toBe(503)
  })

  test('concurrency: cancelled calls count as long as their handlers run', async () => {
    const bus = await limit([{ commands: ['hold', 'fl?w', 'f[ae][iw]*'], concurrency: 2 }], { ...pattern })
    const client = await bus.connect('main')
    const controller = new AbortController()
    const { signal } = controller
    const first = outcomes([1, 2].map(() => client.invoke('hold', {}, { signal })))
    await expect.poll(() => client.invoke('held')).toBe(2)
    const refused = client.invoke('hold')
    await expect(refused).rejects.toMatchObject({ reason: 'Overloaded', data: { code: 'TOO_MANY_CALLS' } })
    controller.abort()
    expect(await first).toEqual({ Cancelled: 2 })
    expect(await many(3, client, 'hold')).toEqual({ Overloaded: 3 })
    await client.invoke('release')
    const again = client.invoke('hold')
    await expect.poll(() => client.invoke('held')).toBe(1)
    await client.invoke('release')
    expect(await again).toBe(null)

    for (const command of ['fail', 'fail_at_once']) {
      for (let n = 0; n < 5; n++)
        await expect(client.invoke(command)).rejects.toMatchObject({ reason: 'CommandFailed' })
    }
    for (let n = 0; n < 5; n++) for await (const value of client.stream('few')) expect(value).toBe(1)
  })

  test('concurrency: a stream counts until its iterator has ended', async () => {
    const bus = await limit([{ commands: ['flow'], concurrency: 1 }], { ...pattern })
    const client = await bus.connect('main')
    const stream = client.stream('flow')
    await stream.next()
    await expect(client.stream('flow').next()).rejects.toMatchObject({ reason: 'Overloaded' })
    await stream.return!()
    await expect.poll(() => client.invoke('held')).toBe(1)
    await expect(client.stream('flow').next()).rejects.toMatchObject({ reason: 'Overloaded' })
    await client.invoke('release')
    await expect.poll(() => outcomes([client.stream('flow').next()])).toEqual({ fulfilled: 1 })
    // A call that is not a stream does not remain counted.
    await expect(client.invoke('flow')).rejects.toMatchObject({ reason: 'Overloaded' })
  })
})

test('all matching quotas apply; events, paths and resources count only by name', async () => {
  const bus = await limit([
    { commands: ['plugin:notes|*'], rate: 5.5 / 1000, concurrency: 9 },
    { commands: ['plugin:notes|*'], rate: 1000 },
    { commands: ['plugin:event|listen'], ...once },
    { ...once, labels: ['strict'] },
  ])
  const [main, strict] = [await bus.connect('main'), await bus.connect('strict')]
  for (const command of ['read', 'list']) {
    expect(await many(3, main, `plugin:notes|${command}`)).toEqual({ fulfilled: 1, Overloaded: 2 })
  }
  expect(await many(3, strict, 'ran')).toEqual({ fulfilled: 1, Overloaded: 2 })
  expect(await outcomes([1, 2].map(() => main.listen('x', () => {})))).toEqual({ fulfilled: 1, Overloaded: 1 })
  expect(await outcomes(Array.from({ length: 2000 }, () => strict.emit('x')))).toEqual({ fulfilled: 2000 })
})

test('calls: a budget lasts for the life of a frontend, and the next one with its label has its own', async () => {
  const bus = await limit([{ commands: ['touch'], calls: 2 }])
  const client = await bus.connect('main')
  expect(await many(3, client, 'touch')).toEqual({ fulfilled: 2, Overloaded: 1 })
  await expect(client.invoke('touch')).rejects.toThrow('The quota of command "touch" of frontend "main" is spent')
  await bus.closeFrontend('main')
  expect(await many(3, await bus.connect('main'), 'touch')).toEqual({ fulfilled: 2, Overloaded: 1 })
})

test('calls: a frontend that restarts goes on with its budget, and one that is opened again has its own', async () => {
  const bus = await limit([{ commands: ['touch'], calls: 2 }])
  const source = `import { expose, invoke } from '@sallyport/frontend'
    expose({ touch: () => invoke('touch').then(() => 'touched', error => error.reason) })`
  const open = (): Promise<void> => bus.open('main', { source, name: 'main.js' }, { allow: ['touch'] })
  const touch = (): Promise<unknown> => bus.call('main', 'touch')
  await open()
  expect(await touch()).toBe('touched')
  await bus.reload('main')
  expect([await touch(), await touch()]).toEqual(['touched', 'Overloaded'])
  await bus.closeFrontend('main')
  await open()
  expect(await touch()).toBe('touched')
})

test('runs with one quotaLabel share their quotas, at the same time and one after the other', async () => {
  const bus = await limit([{ labels: ['acme'], commands: ['touch'], ...once }], { frontends: {} })
  const run = (quotaLabel?: string): Promise<unknown> =>
    bus.run('return invoke("touch")', { allow: ['touch'], ...(quotaLabel !== undefined && { quotaLabel }) })
  expect(await outcomes(['acme', 'acme', 'acme'].map(run))).toEqual({ fulfilled: 1, Overloaded: 2 })
  expect(await outcomes(['acme', 'other', undefined].map(run))).toEqual({ fulfilled: 2, Overloaded: 1 })
})

test('counts survive a new link, and not a new core', async () => {
  const bus = await limit([
    { commands: ['touch'], ...once },
    { commands: ['hold'], concurrency: 1 },
  ])
  const first = await bus.connect('main')
  expect(await many(2, first, 'touch')).toEqual({ fulfilled: 1, Overloaded: 1 })
  const held = first.invoke('hold').catch((error: { reason: string }) => error.reason)
  await expect.poll(() => first.invoke('held')).toBe(1)
  await bus.closeFrontend('main')
  expect(await held).toBe('Disconnected')
  const second = await bus.connect('main')
  expect(await many(2, second, 'touch')).toEqual({ Overloaded: 2 })
  expect(await many(1, second, 'hold')).toEqual({ Overloaded: 1 })
  await second.invoke('exit').catch(() => {})
  await expect.poll(() => outcomes([second.invoke('ran')])).toEqual({ fulfilled: 1 })
  expect(await many(2, second, 'touch')).toEqual({ fulfilled: 1, Overloaded: 1 })
})

test('the log has summaries of rejected calls, and names without a command', async () => {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const bus = await limit([{ commands: ['touch', 'toch*'], ...once }], { log })
  const msg = 'calls.quotas[0].commands: no command matches "toch*"'
  const getUnused = () => lines.filter(line => String(line['msg']).startsWith('calls.quotas'))
  await expect.poll(getUnused).toEqual([expect.objectContaining({ level: 40, msg })])
  await many(1001, await bus.connect('main'), 'touch')
  const getLines = (): Record<string, unknown>[] => lines.filter(line => line['msg'] === 'refused')
  const refused = (): number => getLines().reduce((sum, { more = 0 }) => sum + 1 + (more as number), 0)
  await expect.poll(refused).toBe(1000)
  expect(getLines().length).toBeLessThan(10)
  expect(getLines()[0]).toMatchObject({ label: 'main', command: 'touch', quota: '0.00006/min', level: 40 })
})

test('rejects the start with the path of an invalid quota', () =>
  rows<[unknown, string]>([
    [{}, 'calls.quotas must be an array: got Object'],
    [[{}], 'calls.quotas[0] must be an object with a rate, a concurrency or calls: got Object'],
    [[{ rate: 1 }, { rate: 0 }], 'calls.quotas[1].rate must be more than 0 calls in a second: got 0'],
    [[{ rate: Infinity }], 'calls.quotas[0].rate must be calls in a second: got Infinity'],
    [[{ rate: '5' }], 'calls.quotas[0].rate must be calls in a second: got "5"'],
    [[{ concurrency: 1.5 }], 'calls.quotas[0].concurrency must be a whole number from 1 to 16384: got 1.5'],
    [[{ rate: 1, labels: 'main' }], 'calls.quotas[0].labels must be an array: got "main"'],
    [[{ rate: 1, commands: [] }], 'calls.quotas[0].commands must be a non-empty array: got 0'],
    [[{ rate: 1, labels: ['a', '['] }], 'calls.quotas[0].labels[1] must be a glob, as in capabilities: got "["'],
    [[{ rat: 1 }], 'unknown option "calls.quotas[0].rat" (did you mean "rate"?)'],
  ])(async (quotas, message) => {
    await expect(limit(quotas as CallQuota[])).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: `createBus: ${message}`,
    })
  }))
