// Each way between a frontend and core: pairs of pattern, codec, link and place of core. Everything else is tested once, on one of them: here each way does
// a little of everything, in one test that says which part of it failed. And each way of the public API, with each kind of frontend and values of each size.
import { afterAll, expect, onTestFailed, test } from 'vitest'
import type { Bus, Client } from '../../../src/index.js'
import { getApiMembers } from '../../support/api-members.js'
import { NO_VALUES, WITHOUT_VALUES } from '../../support/api-values.js'
import { everyRoute } from '../../support/start.js'
import { BUS_NAMES, crossRows, pairRows, printRow, WAYS } from '../../support/ways.js'

const collect = async (values: AsyncIterable<unknown>): Promise<unknown[]> => {
  const got: unknown[] = []
  for await (const value of values) got.push(value)
  return got
}

const parts: Record<string, (client: Client, bus: Bus) => Promise<void>> = {
  async 'a value, and an error'(client) {
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    const values = { text: 'ü€😀', list: [1, null, { deep: true }], big: 2 ** 53 }
    expect(await client.invoke('echo', values)).toEqual(values)
    await expect(client.invoke('fails')).rejects.toMatchObject({ reason: 'CommandFailed' })
    await expect(client.invoke('nowhere')).rejects.toMatchObject({ reason: 'MethodNotFound' })
  },
  async 'a thousand calls at once, in order'(client) {
    const numbers = Array.from({ length: 1000 }, (_, n) => n)
    expect(await Promise.all(numbers.map(n => client.invoke('add', { a: n, b: 0 })))).toEqual(numbers)
  },
  async 'a call that is cancelled'(client) {
    const abort = new AbortController()
    const call = client.invoke('never_ends', {}, { signal: abort.signal })
    abort.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
  },
  async 'events, both ways'(client, bus) {
    const received: unknown[] = []
    const all = new Promise<void>(resolve => {
      const take = ({ payload }: { payload: unknown }): void => void (received.push(payload) === 200 && resolve())
      void client
        .listen('from-host', take)
        .then(() => bus.listen('from-client', take))
        .then(async () => {
          for (let n = 0; n < 100; n++) await Promise.all([bus.emit('from-host', n), client.emit('from-client', n)])
        })
    })
    await all
    expect(received.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 200 }, (_, n) => n >> 1))
  },
  async 'a function of the client, which the host calls'(client, bus) {
    const take = client.expose({
      double: ({ n }: { n: number }) => n * 2,
      async *count() {
        yield* [1, 2, 3]
      },
    })
    expect(await bus.call('tests', 'double', { n: 4 })).toBe(8)
    expect(await collect(bus.stream('tests', 'count'))).toEqual([1, 2, 3])
    take()
  },
}

for (const [name, connect] of everyRoute)
  test(`every part works: ${name}`, async () => {
    const { client, bus } = await connect('shared')
    const failed: Record<string, unknown> = {}
    for (const [part, run] of Object.entries(parts))
      await run(client, bus).catch((error: unknown) => (failed[part] = error))
    expect(failed).toEqual({})
  })

afterAll(async () => {
  for (const [, connect] of everyRoute) await (await connect('shared')).bus.close({ timeout: 0 })
})

const pairs = pairRows()
test.each(BUS_NAMES)(
  'a value of each size crosses on every way: %s',
  async bus => {
    onTestFailed(printRow)
    await crossRows(bus, pairs)
  },
  600_000,
)

test('each member of the public API that carries a value has a way', () => {
  const crossing = new Set(Object.values(WAYS).flatMap(way => way.members))
  const inApi = [...getApiMembers()]
  const isKnown = (member: string): boolean =>
    WITHOUT_VALUES.includes(member.split('.')[0]!) || NO_VALUES.includes(member)
  expect(
    inApi.filter(member => !isKnown(member) && !crossing.has(member)),
    'without a way, and not in a list',
  ).toEqual([])
  expect(
    [...crossing, ...NO_VALUES].filter(member => !inApi.includes(member)),
    'not in the API',
  ).toEqual([])
  expect(
    NO_VALUES.filter(member => crossing.has(member)),
    'in both',
  ).toEqual([])
})
