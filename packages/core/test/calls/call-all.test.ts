// Calls of a function of several frontends: which are called, and how the result of each settles.
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Bus, Client } from '../../src/index.js'
import { createBus } from '../../src/index.js'
import { fixture, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const exposing = fixture('calls/exposing.mjs')
const getReason = (result: PromiseSettledResult<unknown> | undefined): unknown =>
  result?.status === 'rejected' ? (result.reason as { reason: unknown }).reason : result?.value

describe('callAll', () => {
  let bus: Bus
  const clients: Record<string, Client> = {}
  const called: string[] = []
  beforeAll(async () => {
    bus = await createBus({ core: {}, log: false })
    for (const label of ['md-a', 'md-b', 'other']) {
      const client = (clients[label] = await bus.connect(label))
      client.expose({
        name: () => label,
        hangs: (_args: object, { signal }) => {
          called.push(label)
          return new Promise(resolve => signal.addEventListener('abort', resolve))
        },
      })
    }
    clients['md-b']!.expose({ only_b: (args: object) => args })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('calls every frontend by default, and returns the result of each by label', async () => {
    expect(await bus.callAll('name')).toEqual({
      'md-a': { status: 'fulfilled', value: 'md-a' },
      'md-b': { status: 'fulfilled', value: 'md-b' },
      other: { status: 'fulfilled', value: 'other' },
    })
  })

  test('calls the frontends whose labels match a glob, or one of several', async () => {
    expect(Object.keys(await bus.callAll('name', {}, { labels: 'md-*' }))).toEqual(['md-a', 'md-b'])
    expect(Object.keys(await bus.callAll('name', {}, { labels: ['other', '*-[b-z]'] }))).toEqual(['md-b', 'other'])
    expect(await bus.callAll('name', {}, { labels: [] })).toEqual({})
    expect(await bus.callAll('name', {}, { labels: 'unknown' })).toEqual({})
  })

  test('a frontend that does not expose the function rejects in its own result', async () => {
    const results = await bus.callAll('only_b', { n: 1 }, { labels: 'md-*' })
    expect(getReason(results['md-a'])).toBe('MethodNotFound')
    expect(results['md-b']).toEqual({ status: 'fulfilled', value: { n: 1 } })
  })

  test('a frontend that does not answer in time rejects in its own result', async () => {
    const undo = clients['other']!.expose({ slow: () => new Promise(() => {}) })
    clients['md-a']!.expose({ slow: () => 'quick' })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const calling = bus.callAll('slow', {}, { labels: ['md-a', 'other'], timeout: 50 })
    // Its answer follows that of the call before.
    await bus.call('md-a', 'name')
    vi.advanceTimersByTime(50)
    const results = await calling
    expect([getReason(results['md-a']), getReason(results['other'])]).toEqual(['quick', 'Timeout'])
    undo()
  })

  test('a signal cancels the calls that have not settled', async () => {
    const abort = new AbortController()
    const calling = bus.callAll('hangs', {}, { labels: 'md-*', signal: abort.signal })
    await expect.poll(() => called.toSorted()).toEqual(['md-a', 'md-b'])
    abort.abort()
    expect(Object.values(await calling).map(getReason)).toEqual(['Cancelled', 'Cancelled'])
  })

  test('refuses wrong arguments as a whole', () =>
    rows<[string, unknown[], string]>([
      ['a name that is not a string', [5], 'bus.callAll takes the name of a function that frontends expose'],
      ['labels of another type', ['name', {}, { labels: 5 }], '`labels` of bus.callAll must be a glob'],
      ['an invalid glob', ['name', {}, { labels: '[' }], 'the glob "["'],
      ['an unknown option', ['name', {}, { transfer: [] }], 'unknown option "transfer": use labels, signal, timeout'],
      ['a label as the name', ['md-a', 'name'], 'must be an object of named arguments'],
      ['a stream', ['name', { body: new ReadableStream() }], 'The argument "body" of "name" is a stream'],
      ['a wrong timeout', ['name', {}, { timeout: 0 }], '`timeout` of function "name" must be milliseconds'],
    ])(async (_, args, message) => {
      const call = bus.callAll(...(args as Parameters<Bus['callAll']>))
      await expect(call).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringContaining(message) as string,
      })
    }))
})

test('callAll waits for frontends that are loading, and those that end meanwhile reject', async () => {
  const bus = await start({ core: fixture('calls/caller.mjs') })
  const options = { loaded: false, allow: '*', supervision: { restart: 'temporary' } } as const
  await bus.open('loads', exposing, { ...options, data: { waits: true } })
  await bus.open('main', exposing, { ...options })
  await bus.open('fails', exposing, { ...options, data: { fail: true } })
  const calling = bus.callAll('late')
  await bus.call('loads', 'go_on')
  const results = await calling
  expect([getReason(results['loads']), getReason(results['fails']), getReason(results['main'])]).toEqual([
    'here',
    'Disconnected',
    'here',
  ])
  const ends = await bus.callAll('dies', { how: 'exit' })
  expect(Object.fromEntries(Object.entries(ends).map(([label, end]) => [label, getReason(end)]))).toEqual({
    loads: 'Disconnected',
    main: 'Disconnected',
  })
})
