// Fake threads for tests of restarts, with a simulated clock and a random source of the test's own.
import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { SimulatedClock } from 'xstate'
import { resolveSupervision, type SupervisionOptions } from '../../src/life/policy.js'
import { Supervisor } from '../../src/life/supervisor.js'

const crash = new Error('boom')

/** Starts a supervisor with one worker, whose threads the test makes ready and ends. By default, delays are not randomized. */
export function start(
  options: SupervisionOptions = {},
  {
    waitsAfterError = false,
    random = (): number => 0,
    explained,
    isRelayed,
    hasStartTimeout = false,
    hasServed,
    isOpening,
  }: {
    waitsAfterError?: boolean
    random?(): number
    explained?: Promise<void>
    isRelayed?: boolean
    hasStartTimeout?: boolean
    hasServed?(): boolean
    isOpening?(): boolean
  } = {},
) {
  const clock = new SimulatedClock()
  const after = (ms: number, run: () => void): (() => void) => {
    const timer = clock.setTimeout(run, ms)
    return () => clock.clearTimeout(timer)
  }
  const supervisor = new Supervisor({ now: () => clock.now(), random, after })
  const events: unknown[] = []
  const threads: EventEmitter[] = []
  const spawn = (): Worker => {
    const thread: EventEmitter = Object.assign(new EventEmitter(), {
      terminate: () => void thread.emit('exit', 1),
      postMessage: () => {},
      unref: () => {},
      // It runs all the time.
      performance: { eventLoopUtilization: () => ({ active: performance.now() }) },
      readProcessCpuMs: () => performance.now(),
    })
    threads.push(thread)
    return thread as unknown as Worker
  }
  const worker = supervisor.start({
    name: 'it',
    supervision: resolveSupervision('permanent', { heartbeat: false }, options),
    waitsAfterError,
    hasStartTimeout,
    ...(hasServed && { hasServed }),
    ...(isOpening && { isOpening }),
    ...(explained && { explainError: () => explained }),
    ...(isRelayed && { isRelayed }),
    spawn,
    onReport: () => {},
    onState: () => {},
    effects: [
      {
        spawn: ({ run }) => run > 1 && events.push('restarted'),
        renew: () => events.push('reloading'),
        backOff: ({ error, history }) => events.push([error!.message, history.delay]),
        wait: ({ error }) => events.push([error!.message, undefined]),
        kill: ({ goal }) => goal === 'stop' && events.push('killed'),
      },
    ],
  })
  const exit = (code = 0): unknown => threads.at(-1)!.emit('exit', code)
  const ready = (): unknown => threads.at(-1)!.emit('message', { type: 'state', state: 'ready' })
  const fail = (error: Error = crash): void => {
    threads.at(-1)!.emit('error', error)
    exit(1)
  }
  return { clock, supervisor, events, threads, worker, ready, exit, fail }
}
