// What the host's own handlers throw is the host's: who else listens is told, and supervision goes on.
import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { resolveSupervision } from '../supervision/policy.js'
import { createSupervisor } from '../supervision/supervisor.js'
import { BusReporter } from './events.js'
import { createHostLog } from './log.js'

const thrown: string[] = []
let others: NodeJS.UncaughtExceptionListener[] = []
const keep = (error: Error): void => void thrown.push(error.message)

beforeEach(() => {
  thrown.length = 0
  others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep)
  for (const other of others) process.on('uncaughtException', other)
})

test('a handler that throws keeps no other from being told', async () => {
  const events = new EventEmitter()
  const heard: string[] = []
  events.on('fault', () => {
    throw new Error('a handler')
  })
  events.on('fault', ({ label }) => heard.push(label))
  events.on('restart', ({ label }) => heard.push(label))
  new BusReporter(createHostLog(false), events).reportRestart('core', 'core', {
    error: new Error('x'),
    restarts: 1,
    delay: 1,
  })
  expect(heard).toEqual(['core', 'core'])
  await vi.waitFor(() => expect(thrown).toEqual(['a handler']), { timeout: 10_000 })
})

test('an inspection that throws stops no machine', async () => {
  const supervisor = createSupervisor()
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
    onRestarted() {},
    onStopped() {},
    onKilled() {},
  })
  expect(await thread.exited).toMatchObject({ error: undefined })
  stop()
  await vi.waitFor(() => expect(thrown).toContain('an inspection'), { timeout: 10_000 })
})
