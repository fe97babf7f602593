import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { peerArms } from '../arms/threads.js'
import type { OpenArm, Task } from '../scenarios/scenario.js'
import { mebibyte, usualCall, type Payload } from '../scenarios/payloads.js'

const task: Task = { loop: 'calls', ms: 1, inFlight: 8 }
const wrong: Payload = {
  ...usualCall,
  id: 'wrong',
  calls: usualCall.calls.map(call => ({ ...call, expected: 'Hello, Moon!' })),
}
const arms = peerArms()
const open = new Map<string, OpenArm>()

beforeAll(async () => {
  for (const arm of arms) open.set(arm.id, await arm.open())
})

afterAll(async () => {
  await Promise.all([...open.values()].map(arm => arm.close()))
})

test('each peer answers the usual call again and again', () =>
  rows(arms)(async ({ id }) => {
    const figures = await open.get(id)!.measure(task, usualCall)
    expect(figures['rate']).toBeGreaterThan(0)
  }))

test('peers of bytes answer bytes', () =>
  rows(arms.filter(({ id }) => id === 'text'))(async ({ id }) => {
    const figures = await open.get(id)!.measure({ loop: 'calls', ms: 1 }, mebibyte())
    expect(figures['p50']).toBeGreaterThan(0)
  }))

test('no peer has figures when an answer is wrong', () =>
  rows(arms)(async ({ id }) => expect(open.get(id)!.measure(task, wrong)).rejects.toThrow('expected "Hello, Moon!"')))

test('titles have the installed version of each package', () => {
  for (const { title, id } of arms) if (id !== 'text') expect(title).toMatch(/^.+ \d+\.\d+\.\d+/)
})
