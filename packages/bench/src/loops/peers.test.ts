import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { peerArms } from '../arms/threads.js'
import { type Payload, usualCall } from '../model/payloads.js'
import type { OpenArm, Task } from '../model/scenario.js'
import { type CallPeer, connectRaw, type Handlers, type RawEndpoint, serveRaw } from './peers.js'

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

test('no peer has figures when an answer is wrong', () =>
  rows(arms)(async ({ id }) => expect(open.get(id)!.measure(task, wrong)).rejects.toThrow('expected "Hello, Moon!"')))

test('titles have the installed version of each package', () => {
  for (const { title } of arms) expect(title).toMatch(/^.+ \d+\.\d+\.\d+/)
})

/** Both sides serve functions and call over one endpoint. */
function connectPair(): { first: CallPeer; second: CallPeer } {
  const receivers: Parameters<RawEndpoint['listen']>[0][][] = [[], []]
  const connect = (side: number, functions: Handlers): CallPeer => {
    const endpoint: RawEndpoint = {
      post: message => queueMicrotask(() => receivers[1 - side]!.forEach(receive => receive(message))),
      listen: receive => void receivers[side]!.push(receive),
    }
    serveRaw(endpoint, functions)
    return connectRaw(endpoint)
  }
  const fail = (): never => {
    throw new Error('no such note')
  }
  const first = connect(0, { double: (value: number) => value * 2 })
  const second = connect(1, { half: async (value: number) => value / 2, fail })
  return { first, second }
}

test('both sides call each other, with many calls in flight', async () => {
  const { first, second } = connectPair()
  expect(await Promise.all([first('half', 4), first('half', 6), second('double', 5)])).toEqual([2, 3, 10])
})

test('an error of a function, and a call of an unknown one, reject', async () => {
  const { first } = connectPair()
  await expect(first('fail', 0)).rejects.toThrow('no such note')
  await expect(first('missing', 0)).rejects.toThrow()
})
