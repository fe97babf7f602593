import { expect, test } from 'vitest'
import type { CallRecord, CallReport, CommandStats } from '../contract/call-report.js'
import { RecentCalls } from './recent-calls.js'
import { RunFailures } from './run-failures.js'

let lastId = 0
const createCall = (label: string, call: Partial<CallRecord> = {}): CallRecord => {
  lastId++
  return { ...{ id: lastId, label, command: 'read', size: 0, at: lastId, ms: 1, outcome: 'ok' }, ...call }
}
const report = (...calls: CallRecord[]): CallReport => ({
  ...{ since: 1, commands: [], calls, current: new SharedArrayBuffer(4) },
})
const RUN = 'bus.call run-1 bus.run'
const createStats = (
  command: string,
  label: string,
  calls: number,
  failures: CommandStats['failures'],
  inFlight = 0,
): CommandStats => ({
  ...{ command, calls, failures, p99: 0, inFlight, moreCallers: 0 },
  callers: [{ label, calls, failures, inFlight }],
})

test('many equal calls are one row with their number, and those of a chosen frontend a row each', () => {
  const recent = new RecentCalls()
  recent.add(report(createCall('editor'), ...Array.from({ length: 2000 }, () => createCall('flood'))))
  const commands = [createStats('read', 'flood', 171_500, { Denied: 1000 }, 500)]
  const rows = recent.getLatest(commands).map(({ label, count }) => [label, count])
  expect(rows).toEqual([
    ['flood', 170_000],
    ['editor', undefined],
  ])
  expect(recent.getLatest(commands, 'flood').length).toBe(50)
})

test('keeps the calls of one caller, although another one floods', () => {
  const recent = new RecentCalls()
  recent.add(report(createCall('editor')))
  for (let i = 0; i < 100; i++) recent.add(report(...Array.from({ length: 50 }, () => createCall('flood'))))
  expect(recent.getLatest([], 'editor')).toMatchObject([{ label: 'editor', outcome: 'ok' }])
})

test('of more than 200 callers, those that have not called for longest are forgotten, with the reasons of their runs', () => {
  const recent = new RecentCalls()
  const all = Array.from({ length: 200 }, (_, n) => `caller-${n}`)
  recent.add(report(...all.map(label => createCall(label)), createCall('caller-0'), createCall('last')))
  const getCount = (label: string): number => recent.getLatest([], label).length
  expect(['caller-0', 'caller-1', 'caller-2', 'last'].map(getCount)).toEqual([2, 0, 1, 1])
  for (const label of ['run-1', ...all]) recent.explainRun(label, 'Timeout')
  recent.add(report(createCall('host', { command: RUN, outcome: 'Disconnected' })))
  expect(recent.getLatest([], 'host')[0]!.outcome).toBe('Disconnected')
})

test('has the latest calls first, each once, with its outcome as soon as it is known', () => {
  const recent = new RecentCalls()
  const { ms: _ms, outcome: _outcome, ...running } = createCall('main')
  recent.add(report(running))
  const next = createCall('other')
  recent.add(report(running, next))
  recent.add(report({ ...running, ms: 5, outcome: 'Denied' }, next))
  const { version } = recent
  recent.add(report({ ...running, ms: 5, outcome: 'Denied' }))
  expect(recent.getLatest([]).map(({ label, outcome }) => [label, outcome])).toEqual([
    ['other', 'ok'],
    ['main', 'Denied'],
  ])
  expect(recent.version, 'nothing is new').toBe(version)
})

test('a run has the reason that its caller got, whoever tells it first', () => {
  const recent = new RecentCalls()
  const getOutcome = (): string | undefined => recent.getLatest([])[0]!.outcome
  recent.add(report(createCall('host', { command: RUN, outcome: 'Disconnected' })))
  recent.explainRun('run-1', 'Timeout')
  expect(getOutcome()).toBe('Timeout')
  recent.explainRun('run-1', 'Crashed')
  recent.add(report(createCall('host', { command: RUN, outcome: 'Disconnected' })))
  expect(getOutcome()).toBe('Crashed')
})

test('a call of a frontend is no run, whatever it calls', () => {
  const recent = new RecentCalls()
  recent.explainRun('run-1', 'Timeout')
  recent.add(report(createCall('hostile', { command: RUN, outcome: 'MethodNotFound' })))
  expect(recent.getLatest([])[0]!.outcome).toBe('MethodNotFound')
  recent.add(report(createCall('host', { command: RUN, outcome: 'Disconnected' })))
  expect(recent.getLatest([], 'host')[0]!.outcome).toBe('Timeout')
})

test('counts the failures of runs by the reasons that their callers got', () => {
  const runs = new RunFailures()
  for (const reason of ['Timeout', 'Crashed', 'Timeout']) runs.add('run-1', reason)
  const commands = [
    createStats(RUN, 'host', 4, { Disconnected: 3 }),
    createStats('read', 'main', 1, { Disconnected: 1 }),
  ]
  const failures = runs.explain(1, commands).map(stats => [stats.failures, stats.callers[0]!.failures])
  expect(failures).toEqual([
    [
      { Timeout: 2, Crashed: 1 },
      { Timeout: 2, Crashed: 1 },
    ],
    [{ Disconnected: 1 }, { Disconnected: 1 }],
  ])
  expect(runs.explain(2, commands)[0]!.failures, 'of another core').toEqual({})
})
