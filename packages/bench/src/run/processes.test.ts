import { afterEach, expect, test, vi } from 'vitest'
import { getScenario } from '../../test/sample-report.js'
import { usualCall } from '../model/payloads.js'
import type { Task } from '../model/scenario.js'
import { type FreshJob, launchFresh, measureFresh } from './processes.js'
import type { Launched } from './run.js'

const task: Task = { loop: 'calls', ms: 2, inFlight: 1 }
const shapes = getScenario('shapes')
let launched: Launched | undefined
afterEach(() => launched?.end())

test('opens, measures and closes an arm in a process of its own', async () => {
  launched = launchFresh()
  const arm = await launched.open(shapes, shapes.arms[0])
  expect(await arm.measure(task, usualCall)).toMatchObject({ p50: expect.any(Number), rate: expect.any(Number) })
  await arm.close()
})

test('reports errors of that process with their messages', async () => {
  launched = launchFresh()
  const arm = await launched.open(shapes, shapes.arms[0])
  await expect(arm.measure({ ...task, loop: 'plugin' }, usualCall)).rejects.toThrow(/plugin/)
  const unknown = { ...usualCall, id: 'other' }
  await expect(arm.measure(task, unknown)).rejects.toThrow("This version has no payload 'other' in shapes")
  const open = launched.open({ ...shapes, id: 'other' }, shapes.arms[0])
  await expect(open).rejects.toThrow('This version has no other/*/port-json')
})

test('rejects pending and later requests with the reason when the process exits', async () => {
  launched = launchFresh()
  const arm = await launched.open(shapes, shapes.arms[0])
  const measured = arm.measure({ ...task, ms: 20_000 }, usualCall)
  await Promise.all([expect(measured).rejects.toThrow(/process of the arm exited/), launched.end()])
  await expect(arm.close()).rejects.toThrow()
  await expect(arm.measure(task, usualCall)).rejects.toThrow(/process of the arm exited/)
})

test('rejects when the process cannot load its payload', async () => {
  launched = launchFresh('no-such-payload.json')
  await expect(launched.open(shapes, shapes.arms[0])).rejects.toThrow('no-such-payload.json: ENOENT')
})

const createJob = (kind: string): FreshJob => ({ plugin: kind })

afterEach(() => vi.unstubAllEnvs())

test('rejects with the error of the measurement', async () => {
  await expect(measureFresh(createJob('nothing'))).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('rejects when the process exits without a reply', async () => {
  vi.stubEnv('NODE_OPTIONS', '--import data:text/javascript,process.exit(3)')
  await expect(measureFresh(createJob('worker'))).rejects.toThrow('The process of the arm exited with code 3')
})

test('ends a process that takes too long', async () => {
  await expect(measureFresh(createJob('worker'), 1)).rejects.toThrow('No answer within 1 ms')
})
