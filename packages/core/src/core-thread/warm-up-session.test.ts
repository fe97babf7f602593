// The calls before core's first one: every one is answered, and nothing of them is left.
import { tracingChannel } from 'node:diagnostics_channel'
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { CallPhases } from '../rpc/call-phases.js'
import { warmUpSession } from './warm-up-session.js'

/** Each end of a ring has an interval until it is closed. */
const opened = vi.spyOn(globalThis, 'setInterval')
const closed = vi.spyOn(globalThis, 'clearInterval')
const ran = vi.spyOn(CallPhases.prototype, 'run')

test('subscribers to calls see none of its own', () =>
  rows([false, true])(async isIsolated => {
    const traced: unknown[] = []
    const subscribers = { start: (trace: unknown) => void traced.push(trace) }
    const calls = tracingChannel<unknown, object>('sallyport.command')
    calls.subscribe(subscribers as never)
    await warmUpSession(isIsolated)
    calls.unsubscribe(subscribers as never)
    expect(traced).toEqual([])
  }))

test('a session answers its calls, and closes', () =>
  rows([false, true])(async isIsolated => {
    vi.clearAllMocks()
    await warmUpSession(isIsolated)
    expect(new Set(ran.mock.results.map(({ type }) => type))).toEqual(new Set(['return']))
    expect(opened).toHaveBeenCalledTimes(2)
    const timers = opened.mock.results.map(({ value }) => value as unknown)
    await expect.poll(() => closed.mock.calls.flat()).toEqual(expect.arrayContaining(timers))
  }))
