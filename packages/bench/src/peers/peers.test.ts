import { afterAll, beforeAll, expect, test } from 'vitest'
import { peerArms } from '../arms/threads.js'
import type { OpenArm, Task } from '../model/scenario.js'
import { usualCall, type Payload } from '../payloads/payloads.js'
import { PEERS } from './peers.js'

const task: Task = { loop: 'calls', ms: 1, inFlight: 8 }
const wrong: Payload = {
  ...usualCall,
  id: 'wrong',
  calls: usualCall.calls.map(call => ({ ...call, expected: 'Hello, Moon!' })),
}
const open = new Map<string, OpenArm>()

beforeAll(async () => {
  for (const arm of peerArms()) open.set(arm.id, await arm.open())
})

afterAll(async () => {
  await Promise.all([...open.values()].map(arm => arm.close()))
})

test.each(PEERS)('$id answers the usual call again and again', async ({ id }) => {
  const figures = await open.get(id)!.measure(task, usualCall)
  expect(figures['rate']).toBeGreaterThan(0)
})

test.each(PEERS)('$id has no figures when an answer is wrong', async ({ id }) => {
  await expect(open.get(id)!.measure(task, wrong)).rejects.toThrow('expected "Hello, Moon!"')
})

test('titles have the installed version of each package', () => {
  for (const { title, id } of peerArms()) if (id !== 'text') expect(title).toMatch(/^.+ \d+\.\d+\.\d+/)
})
