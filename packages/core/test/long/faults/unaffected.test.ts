// Faults that do not end a frontend, and frontends that end for good: closed, finished, or failed.
import { BusError } from '../../../src/index.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Client, FrontendOptions } from '../../../src/index.js'
import { isolation, patterns } from '../../support/start.js'
import { checkGuarantee, watch, type Watched, type Expected } from './guarantee.js'
import { at, everything, openVictim, type Victim } from './victims.js'

describe.each(patterns)('%s', (name, app) => {
  let watched: Watched
  let other: Client
  const others = () => other.invoke('add', { a: 1, b: 2 })

  beforeAll(async () => {
    const options = name === 'isolation' ? isolation(undefined, {}, everything) : app
    watched = await watch({ core: at('core.mjs'), ...options })
    other = await watched.bus.connect('other')
  })
  afterAll(() => watched.close())

  const open = (label: string, options?: FrontendOptions) => openVictim(watched, other, label, options)
  const call = (label: string, name: string, args?: object) => watched.bus.call(label, name, args)
  const getEvents = (label: string) => watched.events.filter(event => event.label === label)

  /** Expects that all calls are still in flight, in the same thread. */
  async function expectUnaffected({ label, calls, held }: Victim): Promise<void> {
    const states = Object.values(calls).map(pending => Promise.race([pending, Promise.resolve('in flight')]))
    expect(await Promise.all(states)).toEqual(['in flight', 'in flight'])
    expect(await call(label, 'calls')).toBe(2)
    expect(await held()).toEqual({ began: 1, aborted: 0 })
    expect(getEvents(label)).toEqual([])
  }

  describe('a frontend', () => {
    test('keeps a frontend that blocks for less than its heartbeat, or keeps bytes beyond its heap', () =>
      rows(['block', 'bytes'])(async how => {
        const sandbox = { kind: 'permission', resourceLimits: { maxOldGenerationSizeMb: 48 } } as const
        const victim = await open(how, { sandbox, supervision: { heartbeat: 60_000 } })
        await call(victim.label, 'fault', { how })
        await expectUnaffected(victim)
      }))

    test('keeps a frontend whose answers cannot be serialized or are detached', () =>
      rows([['bigint', 'cycle', 'fails']])(async (...kinds) => {
        const victim = await open('answers')
        for (const what of kinds) {
          const expectError = (answer: Promise<unknown>) =>
            expect(answer, what).rejects.toMatchObject({ reason: 'InternalError' })
          await expectError(call(victim.label, 'unencodable', { what }))
          await expectError(other.invoke('ask', { label: victim.label, name: 'unencodable', args: { what } }))
        }
        expect(await call(victim.label, 'give-detached')).toBe('InvalidParams')
        await call(victim.label, 'detached').catch(({ reason }: { reason: string }) =>
          expect(reason).toBe('InternalError'),
        )
        await expectUnaffected(victim)
      }))

    test('settles the calls of a closed frontend and frees its label', async () => {
      const victim = await open('closed')
      const { label, calls } = victim
      const closing = watched.bus.closeFrontend(label)
      const reopen = async (): Promise<void> => {
        await closing
        await watched.bus.open(label, at('frontend.mjs'))
      }
      const reopened = reopen()
      await checkGuarantee(watched, {
        label,
        calls,
        others,
        serves: () => reopened.then(() => call(label, 'calls')),
        events: [],
      })
      await expect.poll(victim.held).toEqual({ began: 2, aborted: 1 })
    })

    test('answers or disconnects earlier calls of a batch in which a frontend exits, and runs nothing twice', async () => {
      const { label, calls } = await open('midst')
      const batch = Array.from({ length: 100 }, (_, i) => call(label, 'count', { i, last: 60 }))
      const settled = Promise.allSettled(batch)
      // Core can read the end of the batch after the exit: then the calls wait for the next start.
      const ending = { 'the call that ends it': batch[60]! }
      await checkGuarantee(watched, {
        label,
        calls: { ...calls, ...ending },
        others,
        serves: () => call(label, 'calls'),
      })
      for (const [i, outcome] of (await settled).entries()) {
        expect(outcome).toMatchObject(
          outcome.status === 'rejected' ? { reason: { reason: 'Disconnected' } } : { value: i },
        )
      }
    })

    test('fails a frontend that exceeds its intensity and frees its label', async () => {
      const supervision = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
      const label = 'storm'
      await watched.bus.open(label, at('frontend.mjs'), { supervision, data: { storm: true } })
      const calls = { 'of the host': call(label, 'hold'), 'of another': other.invoke('ask', { label, name: 'hold' }) }
      const pair = [{ name: 'fault' }, { name: 'restart', worker: 'frontend' }]
      const message = expect.stringMatching(/3 times in a row .* broken on purpose/) as string
      const events = [...pair, ...pair, { name: 'fault' }, { name: 'failed', worker: 'frontend', error: { message } }]
      await checkGuarantee(watched, { label, calls, others, serves: 'failed', events })
      await watched.bus.open(label, at('frontend.mjs'))
      expect(await call(label, 'calls')).toBe(1)
    })

    test('restarts two frontends that fail simultaneously', async () => {
      const pair = await Promise.all(['one', 'two'].map(which => open(which)))
      for (const { label } of pair) call(label, 'fault', { how: 'exit' }).catch(() => {})
      const check = ({ label, calls }: Victim) =>
        checkGuarantee(watched, { label, calls, others, serves: () => call(label, 'calls') })
      expect(await Promise.all(pair.map(check))).toEqual([1, 1])
      for (const { held } of pair) await expect.poll(held).toEqual({ began: 2, aborted: 1 })
    })
  })
})

// The checks of the tests of faults themselves: a bus that breaks the guarantee is detected.
describe('the checks of these tests', () => {
  const error = new BusError('Disconnected', 'gone')
  /** Rejects before its test begins, without an unhandled rejection. */
  const rejected = (reason: Error): Promise<unknown> => {
    const call = Promise.reject(reason)
    call.catch(() => {})
    return call
  }
  const restarted: Watched['events'] = [
    { name: 'fault', label: 'main', error },
    { name: 'restart', label: 'main', error },
  ]
  const logged: Watched['lines'] = ['fault', 'restarting'].map(msg => ({ msg, label: 'main', level: 50 }))

  const check = (expected: Partial<Expected>, events = restarted, lines = logged): Promise<unknown> =>
    checkGuarantee({ events, lines } as Watched, {
      label: 'main',
      serves: async () => 'again',
      settleTimeout: 1,
      eventTimeout: 1,
      ...expected,
      calls: expected.calls ?? { call: rejected(error) },
    })

  test('the check passes if the guarantee holds', async () => {
    expect(await check({})).toBe('again')
  })

  test('the check fails on whatever breaks the guarantee', async () => {
    const broken: [what: string, Partial<Expected>][] = [
      ['a call that never settles', { calls: { call: new Promise(() => {}) } }],
      ['a call that succeeds', { calls: { call: Promise.resolve() } }],
      ['an error without a type', { calls: { call: rejected(new Error('gone')) } }],
      ['an error of another type', { reasons: ['Timeout'] }],
      ['others that are affected', { others: () => rejected(error) }],
      ['missing events', { events: ['fault', 'failed'] }],
      ['unexpected events', { events: [] }],
    ]
    await rows(broken)((_what, expected) => expect(check(expected)).rejects.toThrow())
    await expect(check({}, restarted, logged.slice(0, 1))).rejects.toThrow('restart of main is in the log')
  })
})
