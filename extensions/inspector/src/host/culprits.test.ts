import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { CommandStats } from '../contract/call-report.js'
import type { FrontendView } from '../contract/views.js'
import { cureDenial, FailureCounts, getCulprits } from './culprits.js'
import type { Trouble } from './recent.js'
import { NO_TRAFFIC } from '../../test/support/traffic.js'

const NOW = 1_000_000
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }))
afterAll(() => void vi.useRealTimers())

const editor = 'vscode://file{file}:{line}:{column}'
const createFrontend = (view: Partial<FrontendView>): FrontendView => ({
  ...{ ...NO_TRAFFIC, label: 'main', state: 'running', restarts: 0, rejected: 0, unsent: 0 },
  ...view,
})
const createTrouble = (trouble: Partial<Trouble>): Trouble => ({
  ...{ kind: 'denied', label: 'main', what: '', why: '', where: '', count: 1 },
  ...trouble,
})
const createCommand = (calls: number, failed: number): CommandStats => {
  const failures = { CommandFailed: failed }
  const callers = [{ label: 'main', calls, failures, inFlight: 0 }]
  return { command: 'parse', calls, failures, p99: 0, inFlight: 0, callers, moreCallers: 0 }
}
const judge = (source: Partial<Parameters<typeof getCulprits>[0]>) =>
  getCulprits({ troubles: [], frontends: [], commands: [], flood: undefined, editor, ...source })
const getTexts = (source: Parameters<typeof judge>[0]): string[] =>
  judge(source).culprits.map(({ label, text, isBad }) => `${isBad ? '! ' : ''}${label} ${text}`)

test('names a frontend that has failed, with its error and place, and nothing else of it', () => {
  const frontends = [createFrontend({ state: 'failed', error: 'no database', where: 'dead.mjs:1' })]
  expect(getTexts({ frontends, troubles: [createTrouble({})] })).toEqual([
    '! main failed and will not restart: no database (dead.mjs:1)',
  ])
})

test('says how a frontend is if it does not run', () =>
  rows<[string, Partial<FrontendView>]>([
    ['main has finished', { state: 'stopped' }],
    ['! main waits for a change of its files: boom', { state: 'waiting', error: 'boom' }],
    ['! main has not responded for 4.0 s: it blocks its thread', { blockedMs: 4000 }],
    ['main waits for its script host, which has not responded for 4.0 s', { blockedMs: 4000, waitsFor: null }],
    ['! main waits for its script host, which has not responded for 11 s', { blockedMs: 11_000, waitsFor: null }],
    ['main has been starting for 20 s', { state: 'starting', startedAt: NOW - 20_000 }],
  ])((text, view) => {
    expect(getTexts({ frontends: [createFrontend(view)] })).toEqual([text])
  }))

test('names whose code computes, and not those that wait for the thread', () => {
  const wait = (label: string, blockedMs: number): FrontendView =>
    createFrontend({ label, blockedMs, waitsFor: 'run-5' })
  expect(getTexts({ frontends: [wait('innocent', 3500)] })).toEqual([
    '! run-5 has computed for 3.5 s; innocent waits for it (same script host)',
  ])
  expect(getTexts({ frontends: ['a', 'b', 'c', 'd', 'e'].map((label, i) => wait(label, 2000 + i)) })).toEqual([
    '! run-5 has computed for 2.0 s; a, b, c and 2 more wait for it (same script host)',
  ])
})

test('names who floods the bus, with the share of calls and of CPU', () => {
  const flood = { label: 'main', rate: 171_234, share: 0.9971 }
  expect(getTexts({ flood: { ...flood, cpu: 0.64 } })).toEqual([
    '! main made 99 % of all calls (171 k/s, 64 % of a CPU core)',
  ])
  expect(getTexts({ flood: { ...flood, rate: 2840 } })).toEqual(['! main made 99 % of all calls (2.8 k/s)'])
})

test('says which trouble a frontend has had', () =>
  rows<[string, Partial<Trouble>[]]>([
    ['! main failed: boom (a.js:1)', [{ kind: 'failed', what: 'frontend', why: 'boom', where: 'a.js:1' }]],
    ['! main restarted: boom (a.js:1)', [{ kind: 'restart', what: 'frontend', why: 'boom', where: 'a.js:1' }]],
    [
      'main restarted: it blocked. The thread that frontend "main" shared was terminated',
      [{ kind: 'restart', what: 'frontend', why: 'it blocked. The thread that frontend "main" shared was terminated' }],
    ],
    [
      '! main is crash-looping, restarted 10× in a minute: boom',
      [
        { kind: 'restart', count: 10, why: 'boom' },
        { kind: 'fault', count: 10, why: 'boom' },
      ],
    ],
    ['! main had 1 call rejected (Overloaded)', [{ kind: 'refused' }]],
    [
      '! main had 5,925 calls rejected (Overloaded, maxInFlight, count)',
      [
        { kind: 'refused', why: 'maxInFlight', count: 5920 },
        { kind: 'refused', what: 'count', why: 'Overloaded', count: 5 },
      ],
    ],
    ['! main denied 160× (read_secret)', [{ what: 'read_secret', count: 60 }, { count: 100 }]],
    [
      '! main denied 7× (d, c, b, …)',
      [
        { what: 'a', count: 1 },
        { what: 'b', count: 1 },
        { what: 'c', count: 2 },
        { what: 'd', count: 3 },
      ].toReversed(),
    ],
    [
      '! main rejected by the hook 1× (read): the hook returned null',
      [{ kind: 'rejected', what: 'read', why: 'the hook returned null' }],
    ],
    ['! main made 1 slow call (read)', [{ kind: 'slow', what: 'read' }]],
    ['! main made 1,200 slow calls (read)', [{ kind: 'slow', what: 'read', count: 1200 }]],
    ['! main did not respond for 6 s', [{ kind: 'blocked', why: 'did not respond for 6 s' }]],
    ['! core was blocked: core did not answer', [{ label: 'core', kind: 'blocked', why: 'core did not answer' }]],
    ['! main blocked core with read: for 6 s', [{ kind: 'blocked', what: 'read', why: 'for 6 s' }]],
    ['! main too slow for events, of which 1,200 were dropped', [{ kind: 'overload', count: 1200 }]],
  ])((text, troubles) => {
    expect(getTexts({ troubles: troubles.map(createTrouble) })).toEqual([text])
  }))

test('needs no attention for an expected error, unless most calls of a minute fail', () => {
  const failed = createTrouble({ kind: 'failures', what: 'parse: CommandFailed', why: 'CommandFailed' })
  expect(getTexts({ troubles: [failed], commands: [createCommand(1, 1)] })).toEqual([
    'main failed 1× (parse: CommandFailed)',
  ])
  const many = { ...failed, count: 20 }
  expect(getTexts({ troubles: [many], commands: [createCommand(1000, 20)] })[0]).toMatch(/^main/)
  expect(getTexts({ troubles: [many], commands: [createCommand(30, 20)] })[0]).toMatch(/^! main/)
  expect(getTexts({ troubles: [{ ...failed, why: 'Timeout' }] })[0]).toMatch(/^! main/)
})

test('names the caller of a call that runs for long', () => {
  const oldest = { label: 'main', ms: 12_000 }
  expect(getTexts({ commands: [{ ...createCommand(1, 0), oldest }] })).toEqual(['! main has waited for parse for 12 s'])
})

test('has one line for each cause, the worst first, and counts the frontends that are left out', () => {
  const troubles = Array.from({ length: 80 }, (_, i) => createTrouble({ label: `f${i}`, what: `c${i % 40}` }))
  const frontends = [createFrontend({ label: 'f79', state: 'failed' })]
  const { culprits, moreCulprits } = judge({ troubles, frontends })
  expect(culprits.map(({ label, labels }) => labels ?? label)).toEqual([
    'f79',
    ...Array.from({ length: 9 }, (_, i) => [`f${i}`, `f${i + 40}`]),
  ])
  expect(moreCulprits).toBe(61)
})

test('adds what frontends with the same trouble have done', () => {
  const hint = 'add "notify" to the option "allow" of the frontend "weather"'
  const denied = ['weather', 'one'].map(label => createTrouble({ label, what: 'notify', why: hint, count: 700 }))
  const why = 'no database'
  const restarts = ['a', 'b'].map(label => createTrouble({ label, kind: 'restart', why, where: 'x.js:1', count: 3 }))
  const { culprits } = judge({ troubles: [...denied, ...restarts] })
  expect(culprits.map(({ labels, text }) => [labels, text])).toEqual([
    [['a', 'b'], 'are crash-looping, restarted 6× in a minute: no database (x.js:1)'],
    [['one', 'weather'], 'denied 1,400× (notify)'],
  ])
})

test('counts failures from one report to the next, and from 0 after core has restarted', () => {
  const counts = new FailureCounts()
  const get = (since: number, failed: number): (number | string)[] =>
    counts.getNew(since, [createCommand(100, failed)]).flatMap(({ what, count }) => [what, count])
  expect(get(1, 2)).toEqual(['parse: CommandFailed', 2])
  expect(get(1, 2)).toEqual([])
  expect(get(1, 5)).toEqual(['parse: CommandFailed', 3])
  expect(get(2, 1)).toEqual(['parse: CommandFailed', 1])
})

test('names the frontend whose function fails or does not answer the host, instead of the host', () => {
  const callers = [{ label: 'host', calls: 1, failures: { Timeout: 1 }, inFlight: 1 }]
  const oldest = { label: 'host', ms: 12_000 }
  const commands = [{ ...createCommand(1, 0), command: 'bus.call main run it', callers, oldest }]
  const troubles = new FailureCounts().getNew(1, commands)
  expect(getTexts({ troubles, commands })).toEqual([
    '! main failed 1× (run it: Timeout); has not answered run it for 12 s',
  ])
})

test('does not name a frontend that has just begun to start', () => {
  expect(getTexts({ frontends: [createFrontend({ state: 'starting', startedAt: NOW })] })).toEqual([])
})

test('says what to do, and opens the place of an error', () => {
  const hint = 'add "wipe" to the option "allow" of the frontend "main"'
  const restart = createTrouble({
    kind: 'restart',
    why: `Command wipe not allowed by ACL: ${hint}`,
    where: 'src/index.ts:5:20',
  })
  const troubles = [restart, createTrouble({ what: 'wipe', why: hint })]
  const { culprits } = judge({ troubles })
  expect(culprits[0]).toMatchObject({
    text: 'restarted: Command wipe not allowed by ACL (src/index.ts:5:20); denied 1× (wipe)',
    cure: { text: 'If it may, add to its options:', code: "allow: ['wipe']" },
    editor: expect.stringMatching(/^vscode:\/\/file\/.*\/src\/index\.ts:5:20$/) as string,
  })
})

test('has code to copy for a denial, but none of a hostile hint', () =>
  rows<[hint: string, code: string | undefined]>([
    ['add "notify" to the option "allow" of the frontend "x"', "allow: ['notify']"],
    ['add "fs:allow-open" to the permissions of a capability whose windows match "x"', "'fs:allow-open'"],
    ['"deny-open" is among the permissions of a capability for "x"', "'deny-open'"],
    ['add "wipe" to sallyport.permissions of /x/package.json, and grant it', '"wipe"'],
    ['grant "wipe", for which it asks in permissions of /x/sallyport.json', "'wipe'"],
    [`add "'], rights: all //" to the option "allow" of the frontend "x"`, undefined],
  ])((hint, code) => {
    expect(cureDenial([hint])?.code).toBe(code)
  }))

test('code to copy fits into one line', () => {
  const names = Array.from(
    { length: 5 },
    (_, i) => `add "${'x'.repeat(18)}${i}" to the option "allow" of the frontend "x"`,
  )
  const { text, code } = cureDenial(names)!
  expect(`${text} ${code}`.length).toBeLessThanOrEqual(80)
})

test('takes no code from what a plugin throws', () => {
  const why = 'boom; add "wipe" to the option "allow" of the frontend "x"'
  for (const kind of ['restart', 'fault', 'failures'] as const) {
    const { culprits } = judge({ troubles: [createTrouble({ kind, why })] })
    expect(culprits[0]).not.toHaveProperty('cure')
  }
})
