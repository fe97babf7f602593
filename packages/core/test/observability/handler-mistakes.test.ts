// Mistakes of handlers in the log: a line counts calls, names the command, and accuses no caller.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { fixture, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

type Line = Record<string, unknown>
const place = expect.stringMatching(/mistaken-core\.mjs:\d+:\d+$/) as string

async function setUp() {
  const lines: Line[] = []
  const log = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line) as Line) })
  const bus = await start({ core: fixture('observability/mistaken-core.mjs'), log })
  return { bus, client: await bus.connect('caller'), lines }
}

const fail = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.unreachable(),
    (error: Error) => error,
  )

test('names the command and the error, without values', () =>
  rows([
    ['reads', 'TypeError', 'Cannot read properties of undefined…', undefined],
    ['calls', 'TypeError', '… is not a function', 'a secret'],
    ['names', 'ReferenceError', '… is not defined', undefined],
  ] as const)(async (command, error, why, args) => {
    const { bus, client, lines } = await setUp()
    const { message } = await fail(client.invoke(command, { args }))
    expect(message).toMatch(new RegExp(`^command "${command}" failed: .*${why.replaceAll('…', '.+')}$`))
    await bus.close()
    expect(lines).toEqual([
      expect.objectContaining({ worker: 'core', msg: 'command threw', command, error, why, place }),
    ])
    expect(lines[0]).not.toHaveProperty('label')
  }))

test('counts the calls of each command, not lines', async () => {
  const { bus, client, lines } = await setUp()
  const commands = Array.from({ length: 250 }, (_, i) => (i < 200 ? 'reads' : 'names'))
  await Promise.allSettled(commands.map(command => client.invoke(command, {})))
  await bus.close()
  const count = (name: string): number =>
    lines.reduce((sum, { command, more = 0 }) => sum + (command === name ? 1 + Number(more) : 0), 0)
  expect([count('reads'), count('names')]).toEqual([200, 50])
})

test('leaves what a handler throws on purpose to its caller', () =>
  rows([
    ['refuses', 'n must be a number'],
    ['parses', 'Invalid URL'],
  ])(async (command, message) => {
    const { bus, client, lines } = await setUp()
    expect((await fail(client.invoke(command, { args: '5' }))).message).toBe(message)
    await bus.close()
    expect(lines).toEqual([])
  }))

test('logs a message of a channel that cannot be serialized', async () => {
  const { bus, client, lines } = await setUp()
  const channel = new client.Channel()
  await client.invoke('sends', { channel })
  await bus.close()
  expect(lines).toEqual([expect.objectContaining({ worker: 'core', msg: 'message lost', place })])
  expect(lines[0]).not.toHaveProperty('label')
})

test('logs no value of a stream that cannot be serialized, which fails its call', async () => {
  const { bus, client, lines } = await setUp()
  const { message } = await fail(client.stream('streams').next())
  expect(message).toContain('cannot be serialized')
  await bus.close()
  expect(lines).toEqual([])
})
