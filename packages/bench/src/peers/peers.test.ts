import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OpenArm } from '../arm.js'
import { peerArms } from '../arms/peer.js'
import { usualCall } from '../payloads/greet.js'
import type { Payload } from '../payloads/payload.js'
import type { Task } from '../task.js'
import { PEER_NAMES } from './index.js'

const task: Task = { loop: 'calls', ms: 1, inFlight: 8 }
const wrong: Payload = {
  ...usualCall,
  id: 'wrong',
  calls: usualCall.calls.map(call => ({ ...call, expected: 'Hello, nobody!' })),
}
const open = new Map<string, OpenArm>()

beforeAll(async () => {
  for (const arm of peerArms()) open.set(arm.id, await arm.open())
})

afterAll(async () => {
  await Promise.all([...open.values()].map(arm => arm.close()))
})

test.each(PEER_NAMES)('%s answers the usual call, again and again', async name => {
  const figures = await open.get(name)!.measure(task, usualCall)
  expect(figures['rate']).toBeGreaterThan(0)
})

test.each(PEER_NAMES)('a wrong answer of %s is no figure', async name => {
  await expect(open.get(name)!.measure(task, wrong)).rejects.toThrow('"Hello, nobody!" was expected')
})

test('every file of this folder is a peer that is listed', () => {
  const files = readdirSync(new URL('.', import.meta.url)).map(name => name.replace('.ts', ''))
  const peers = files.filter(name => !['index', 'peer', 'peers.test'].includes(name))
  expect(peers.toSorted()).toEqual(PEER_NAMES.toSorted())
})

test('the report names each package with its version, as installed, and says what each carries', () => {
  const [reference, ...others] = peerArms()
  expect(reference).toMatchObject({ id: 'raw', title: 'raw MessagePort', carries: 'structured clone' })
  for (const { title, carries } of others) {
    expect(title).toMatch(/^(raw, |.+ \d+\.\d+\.\d+)/)
    expect(carries).toMatch(/structured clone|JSON/)
  }
})
