import { Worker } from 'node:worker_threads'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { resolveSupervision } from '../policy.js'
import { Supervisor } from '../supervisor.js'
import type { LifeContext } from '../judge.js'
import { BusReporter } from './events.js'
import { createHostLog } from './log.js'

const thrown: string[] = []
let listeners: NodeJS.UncaughtExceptionListener[] = []
const keep = (error: Error): void => void thrown.push(error.message)

beforeEach(() => {
  thrown.length = 0
  listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep)
  for (const listener of listeners) process.on('uncaughtException', listener)
})

test('throws the error of a listener later, and calls the other listeners', async () => {
  const reporter = new BusReporter(createHostLog(false))
  const labels: string[] = []
  reporter.on('fault', () => {
    throw new Error('a listener')
  })
  reporter.on('fault', ({ label }) => labels.push(label))
  reporter.on('restart', ({ label }) => labels.push(label))
  const restarted = { error: new Error('x'), history: { count: 1, delay: 1 } } as LifeContext
  reporter.getEffects('core', 'core').backOff!(restarted)
  expect(labels).toEqual(['core', 'core'])
  await expect.poll(() => thrown).toEqual(['a listener'])
})

test('a failure of several workers is reported once, as are its faults', () => {
  const reporter = new BusReporter(createHostLog(false))
  const reported: string[] = []
  reporter.on('fault', ({ label }) => reported.push(`fault ${label}`))
  reporter.on('failed', ({ label }) => reported.push(`failed ${label}`))
  const exitError = new Error('x')
  const error = new Error('it failed 4 times', { cause: exitError })
  for (const label of ['a', 'b']) reporter.reportExit('gate', label, { error, exitError })
  reporter.reportExit('frontend', 'c', { error: new Error('its gate has failed', { cause: error }), exitError })
  expect(reported).toEqual(['fault a', 'failed a'])
})

test('an end is told by its error, or by its code', () => {
  const reporter = new BusReporter(createHostLog(false))
  const ends: object[] = []
  reporter.on('exited', event => ends.push(event))
  reporter.reportEnd('a', undefined, 3)
  reporter.reportEnd('b', new Error('no'), undefined)
  expect(ends).toEqual([
    { label: 'a', code: 3, reason: 'exited with code 3' },
    { label: 'b', code: undefined, reason: 'no' },
  ])
})

test('the log names each cause once', () => {
  const said: unknown[] = []
  const write = (line: string): void => void said.push((JSON.parse(line) as { err: { message: string } }).err.message)
  const reporter = new BusReporter(pino({}, { write }))
  const root = new Error('it had a reason')
  reporter.reportFault('a', new Error('no', { cause: new Error('no', { cause: root }) }))
  reporter.reportFault('a', new Error('no', { cause: root }))
  reporter.reportFault('a', new Error('no', { cause: new Error('no') }))
  expect(said).toEqual(['no: it had a reason', 'no: it had a reason', 'no'])
})

test('throws the error of an inspection later, and supervision goes on', async () => {
  const supervisor = new Supervisor()
  const stop = supervisor.inspect(() => {
    throw new Error('an inspection')
  })
  const thread = supervisor.start({
    name: 'it',
    supervision: resolveSupervision('temporary', { heartbeat: false }),
    spawn: () =>
      new Worker(`require('node:worker_threads').parentPort.postMessage({ type: 'state', state: 'ready' })`, {
        eval: true,
      }),
    onReport() {},
    onState() {},
  })
  expect(await thread.exited).toMatchObject({ error: undefined })
  stop()
  await expect.poll(() => thrown).toContain('an inspection')
})
