// Invariants of calls under any fault: each call settles before its deadline, with its own answer or a typed error; none runs twice; an
// answered call has run, and an undelivered one has not.
import { expect } from 'vitest'

/** Outcomes of the calls of one connection: see processes/load.mjs. */
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

/** Reasons of calls that fail because a process, server or connection is lost. */
const EXPECTED_REASONS = ['Disconnected', 'Timeout']

/** @param executions - ids of calls in the order of their execution, by instance */
export function checkCalls(reports: readonly Report[], executions: ReadonlyMap<string, readonly string[]>): void {
  const executed = [...executions.values()].flat()
  const times = new Map<string, number>()
  for (const id of executed) times.set(id, (times.get(id) ?? 0) + 1)
  expect(
    [...times].filter(([, count]) => count > 1),
    'executed more than once',
  ).toEqual([])
  for (const { sent, pending, answered, failures, undelivered, unknown, wrong, late } of reports) {
    expect(wrong, 'wrong answers, and errors other than BusError').toEqual([])
    expect(late, 'settled late').toEqual([])
    expect({ pending, settled: answered.length + undelivered.length + unknown.length }).toEqual({
      pending: 0,
      settled: sent,
    })
    expect(
      Object.keys(failures).filter(reason => !EXPECTED_REASONS.includes(reason)),
      'unexpected reasons',
    ).toEqual([])
    expect(
      answered.filter(id => !times.has(id)),
      'answered but not executed',
    ).toEqual([])
    expect(
      undelivered.filter(id => times.has(id)),
      'undelivered but executed',
    ).toEqual([])
  }
}
