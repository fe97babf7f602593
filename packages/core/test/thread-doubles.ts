// Threads that are none, for tests of when workers are started again: with a clock and chance of the test's own.
import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { SimulatedClock } from 'xstate'
import { getSupervision, type SupervisionOptions } from '../src/host/supervision/policy.js'
import { createSupervisor } from '../src/host/supervision/supervisor.js'

const crash = new Error('boom')

/** A supervisor with one worker, which the test makes ready and ends. By default chance takes nothing off a delay. */
export function start(options: SupervisionOptions = {}, { waits = false, random = (): number => 0 } = {}) {
  const clock = new SimulatedClock()
  const supervisor = createSupervisor({ clock, now: () => clock.now(), random })
  const told: unknown[] = []
  const workers: EventEmitter[] = []
  const spawn = (): Worker => {
    const worker = Object.assign(new EventEmitter(), { terminate: () => {}, postMessage: () => {}, unref: () => {} })
    workers.push(worker)
    return worker as unknown as Worker
  }
  const thread = supervisor.start({
    name: 'it',
    supervision: getSupervision('permanent', { heartbeat: false }, options),
    waits,
    spawn,
    onReport: () => {},
    onState: () => {},
    onUp: () => told.push('up'),
    onDown: restart => told.push(restart ? [restart.error.message, restart.delay] : 'reloaded'),
    onUnended: () => told.push('unended'),
  })
  const exit = (code = 0): unknown => workers.at(-1)!.emit('exit', code)
  const ready = (): unknown => workers.at(-1)!.emit('message', { type: 'state', state: 'ready' })
  const fail = (): void => {
    workers.at(-1)!.emit('error', crash)
    exit(1)
  }
  return { clock, supervisor, told, workers, thread, ready, exit, fail }
}
