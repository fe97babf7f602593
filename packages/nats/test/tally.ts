// What must be true of all calls, whatever has happened: each has settled, with its own answer or a typed error, within its
// deadline; none was executed twice; what was answered was executed, and what is said not to have been delivered was not.
import { expect } from 'vitest'

/** Of the calls of one connection: see processes/load.mjs. */
export interface Report {
  sent: number
  pending: number
  answered: string[]
  instances: Record<string, number>
  failures: Record<string, number>
  undelivered: string[]
  unknown: string[]
  wrong: string[]
  late: string[]
}

/** With which a call may fail when processes, servers and connections come and go. */
const OF_FAULTS = ['Disconnected', 'Timeout']

/** @param executions ids of calls, as often as they were executed, by instance */
export function checkCalls(reports: readonly Report[], executions: ReadonlyMap<string, readonly string[]>): void {
  const executed = [...executions.values()].flat()
  const times = new Map<string, number>()
  for (const id of executed) times.set(id, (times.get(id) ?? 0) + 1)
  expect(
    [...times].filter(([, count]) => count > 1),
    'executed more than once',
  ).toEqual([])
  for (const { sent, pending, answered, failures, undelivered, unknown, wrong, late } of reports) {
    expect(wrong, 'wrong answers, and errors that are none of the bus').toEqual([])
    expect(late, 'settled late').toEqual([])
    expect({ pending, settled: answered.length + undelivered.length + unknown.length }).toEqual({
      pending: 0,
      settled: sent,
    })
    expect(
      Object.keys(failures).filter(reason => !OF_FAULTS.includes(reason)),
      'other failures',
    ).toEqual([])
    expect(
      answered.filter(id => !times.has(id)),
      'answered and not executed',
    ).toEqual([])
    expect(
      undelivered.filter(id => times.has(id)),
      'not delivered, and executed',
    ).toEqual([])
  }
}
