// A frontend that floods core or its gate with what is refused: each call is answered, and what the host and its log are told
// of stays small, and tells of all.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { isolation, start } from '../start.js'

const FLOOD = 5_000
const none = { identifier: 'none', windows: ['*'], permissions: ['allow-count'] }

/** A frontend that calls `add` so often, and what was told of it by then. */
async function flooded(event: 'denied' | 'rejected', options: NonNullable<Parameters<typeof start>[0]>) {
  const lines: { msg: string }[] = []
  const log = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line)) })
  const bus = await start({ ...options, log })
  const told: { label: string; command: string; more?: number }[] = []
  bus.on(event, report => told.push(report))
  const client = await bus.connect('bad')
  const calls = Array.from({ length: FLOOD }, () => client.invoke('add', { hook: 'null' }))
  const refused = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected')
  expect(refused.length).toBe(FLOOD)
  const total = () => told.reduce((sum, { more = 0 }) => sum + 1 + more, 0)
  await expect.poll(total, { timeout: 10_000 }).toBe(refused.length)
  return { told, lines: lines.filter(({ msg }) => msg.startsWith(event)) }
}

test.each([
  ['calls that are denied', 'denied', { app: { security: { capabilities: [none] } } }],
  ['calls that its hook rejects', 'rejected', { app: isolation('judge') }],
] as const)('%s are told one by one up to a bound, then as a number', async (_what, event, options) => {
  const { told, lines } = await flooded(event, options)
  expect(told[0]).not.toHaveProperty('more')
  expect(told.length, 'a hundred a second, on a slow machine too').toBeLessThan(FLOOD / 4)
  expect(lines).toHaveLength(told.length)
  expect(lines.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/^\w+, and \d+ more$/))
})
