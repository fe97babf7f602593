// Hostile inputs, once and as a flood, to core and through a gate: each gets a typed error or closes its session, in bounded time
// and memory. Nothing runs or leaks, no prototype changes, and others are served.
import { pino } from 'pino'
import { isolation, start } from '../../support/start.js'
import type { LinkKind } from '@sallyport/protocol/internal/link'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { afterAll, beforeAll, expect, test, describe } from 'vitest'
import { choose, isMatrix, rows } from '../../../../../scripts/testing.js'
import { createFuzzed, type Fuzzed } from '../../fuzz/core-target.js'
import { openGate } from '../../fuzz/gate-target.js'
import { Random } from '../../fuzz/random.js'
import { createWatch, type Watch } from '../../fuzz/watch.js'
import { INPUTS, type Input } from './inputs.js'

let open: Fuzzed
let sealed: Fuzzed
let watch: Watch
beforeAll(async () => {
  open = await createFuzzed('brownfield')
  sealed = await createFuzzed('isolation')
  watch = createWatch()
  watch.grown()
})
afterAll(async () => {
  await watch.stop()
  await Promise.all([open.close(), sealed.close()])
})

/** Outcomes of values that only some versions of Node can serialize again. */
const TYPED = [-32_000, -32_002, -32_600, -32_602, -32_603]

/** Which inputs are sent as a flood: the matrix has time for all. */
const FLOODS = INPUTS.filter((_, index) => isMatrix || index % 4 === 0)

/** Returns the number of frames of a flood, of at most two MiB unless they are large. */
const getFlood = ({ frame }: Input): number => Math.max(5, Math.min(500, Math.floor(2 ** 21 / frame.body.length)))

async function attack(input: Input, route: 'core' | 'gate', times: number, link: LinkKind = 'port') {
  const fuzzed = route === 'core' ? open : sealed
  const before = { ...fuzzed.ran }
  watch.begin(`${input.name}, ${route}`)
  const run = route === 'core' ? undefined : await openGate(fuzzed, new Random(0), link, 'none')
  const wire = run?.wire ?? fuzzed.connect('bad', link, link === 'ring' ? 'msgpack' : 'json')
  for (let i = 0; i < times; i++) wire.send(input.frame)
  wire.ask({ id: 'probe', method: 'ok' })
  const settled = await wire.settles('probe')
  const { closed } = wire
  expect(await fuzzed.checkHonest()).toBeUndefined()
  // A message that is only for the honest frontend would arrive before this answer.
  wire.ask({ id: 'after', method: 'ok' })
  await wire.settles('after')
  wire.link.close()
  expect(settled, 'it is answered, or closed').toBe(true)
  expect(wire.problem ?? wire.unreadable).toBeUndefined()
  expect(fuzzed.ran).toEqual({ ...before, honest: before.honest + 1 })
  expect(fuzzed.badLines).toEqual([])
  expect(watch.broken()).toBeUndefined()
  expect(wire.canaries, 'canaries of another frontend').toBe(0)
  return { closed, codes: [...new Set(wire.codes)] }
}

const ways = (over: LinkKind[], inputs = INPUTS) =>
  (['core', 'gate'] as const).flatMap(route =>
    over.flatMap(link =>
      inputs.map(input => [`${input.name}, to ${route} over a ${link}`, input, route, link] as const),
    ),
  )

test('core and a gate answer each input with a typed error, or close', { timeout: 600_000 }, () =>
  rows(ways(choose(['port', 'ring'])))(async (_name, input, route, link) => {
    const { closed, codes } = await attack(input, route, 1, link)
    expect(closed).toBe(input.closes)
    if (input.code === 'any') expect(codes.filter(code => !TYPED.includes(code as number))).toEqual([])
    else expect(codes).toEqual(input.code === undefined ? [] : [input.code])
  }),
)

test('core and a gate survive a flood of each input', { timeout: 600_000 }, () =>
  rows(ways(['port'], FLOODS))(async (_name, input, route) => {
    const { closed } = await attack(input, route, getFlood(input))
    expect(closed).toBe(input.closes)
    // A closed port releases its messages a moment later.
    await expect.poll(() => watch.grown()).toBeUndefined()
  }),
)

test('log entries are single lines for all inputs', async () => {
  const wire = open.connect('bad', 'port', 'json')
  const body = Buffer.from('{"jsonrpc":"2.0","method":"x\\n\\u001b[2J\\u2028{\\"level\\":60}"}')
  wire.send({ kind: FRAME_KIND.json, body })
  wire.ask({ id: 1, method: 'ok' })
  await wire.settles(1)
  wire.link.close()
  expect(JSON.parse(open.lastLine())).toMatchObject({ label: 'bad', command: 'x\n\u001b[2J\u2028{"level":60}' })
  expect(open.badLines).toEqual([])
})

// Floods of rejected calls to core or a gate: each call is answered, and the reports to host and log stay few and complete.
describe('floods of rejected calls', () => {
  const FLOOD = 5_000
  const none = { identifier: 'none', windows: ['*'], permissions: ['allow-count'] }

  /** Opens a frontend that calls `add` many times. Returns the events and log lines about it. */
  async function flooded(event: 'denied' | 'rejected', options: NonNullable<Parameters<typeof start>[0]>) {
    const lines: { msg: string; more?: number }[] = []
    const log = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line)) })
    const bus = await start({ ...options, log })
    const reports: { label: string; command: string; more?: number }[] = []
    bus.on(event, report => reports.push(report))
    const client = await bus.connect('bad')
    const calls = Array.from({ length: FLOOD }, () => client.invoke('add', { hook: 'null' }))
    const refused = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected')
    expect(refused.length).toBe(FLOOD)
    const total = () => reports.reduce((sum, { more = 0 }) => sum + 1 + more, 0)
    await expect.poll(total).toBe(refused.length)
    const getLines = () => lines.filter(({ msg }) => msg.startsWith(event))
    // The log can count in other seconds than the events.
    await expect.poll(() => getLines().reduce((sum, { more = 0 }) => sum + 1 + more, 0)).toBe(refused.length)
    return { reports, lines: getLines() }
  }

  test('faults are reported individually up to a limit, then as a number', () =>
    rows([
      ['calls that are denied', 'denied', { capabilities: [none] }],
      ['calls that its hook rejects', 'rejected', { ...isolation('judge') }],
    ] as const)(async (_what, event, options) => {
      const { reports, lines } = await flooded(event, options)
      expect(reports[0]).not.toHaveProperty('more')
      expect(reports.length, 'a hundred a second, on a slow machine too').toBeLessThan(FLOOD / 4)
      // Denials are one line a second.
      if (event === 'denied') expect(lines.length).toBeLessThan(reports.length / 20)
      else expect(lines).toHaveLength(reports.length)
      expect(lines).toContainEqual(expect.objectContaining({ msg: event, more: expect.any(Number) as number }))
    }))
})
