// Floods of rejected calls to core or a gate: each call is answered, and the reports to host and log stay few and complete.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { isolation, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

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
