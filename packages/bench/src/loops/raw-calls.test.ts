import { expect, test } from 'vitest'
import { connectRaw, serveRaw, type CallPeer, type Handlers, type RawEndpoint } from './raw-calls.js'

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
