import { afterEach, expect, test } from 'vitest'
import { launchFresh } from './fresh-process.js'
import type { Launched } from './launch.js'
import { usualCall } from '../payloads/greet.js'
import { codec } from '../scenarios/codec.js'
import { noise } from '../scenarios/noise.js'
import type { Task } from '../task.js'

const nothing = { scenarios: [], payloads: [], codecs: [] }
const task: Task = { loop: 'calls', ms: 2, inFlight: 1 }
let launched: Launched | undefined
afterEach(() => launched?.end())

test('an arm is opened, measured and closed in a process of its own', async () => {
  launched = await launchFresh(nothing)
  const arm = await launched.open(noise, noise.arms[0])
  expect(await arm.measure(task, usualCall)).toMatchObject({ p50: expect.any(Number), rate: expect.any(Number) })
  await arm.close()
})

test('what goes wrong there is told as it was', async () => {
  launched = await launchFresh(nothing)
  const arm = await launched.open(noise, noise.arms[0])
  await expect(arm.measure({ ...task, loop: 'codec' }, usualCall)).rejects.toThrow(/codec/)
  await expect(arm.measure(task, { ...usualCall, id: 'other' })).rejects.toThrow("there is no payload 'other' in noise")
  await expect(launched.open({ ...noise, id: 'other' }, noise.arms[0])).rejects.toThrow('there is no other/*/raw')
})

test('a process that ends takes what was asked of it along, with a reason', async () => {
  launched = await launchFresh(nothing)
  const arm = await launched.open(codec(), codec().arms[0])
  const measured = arm.measure({ loop: 'codec', ms: 20_000, inFlight: 1 }, codec().cases[0]!.payload)
  await Promise.all([expect(measured).rejects.toThrow(/its process has ended/), launched.end()])
  await expect(arm.close()).rejects.toThrow()
  await expect(arm.measure(task, usualCall)).rejects.toThrow(/its process has ended/)
})

test('one that can’t start says so', async () => {
  const nowhere = new URL('nowhere.js', import.meta.url)
  await expect(launchFresh(nothing, nowhere)).rejects.toThrow('its process has ended with exit code 1')
})
