import { afterEach, describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, notify, result, setUp } from '../../test/peer.js'
import { Channel, emit, emitTo, getData, getLabel, invoke, isBusError, listen, once, stream } from '../index.js'
import { currentClient, setCurrentClient } from './current-client.js'

const KEY = Symbol.for('@sallyport/frontend:client')
afterEach(() => Reflect.deleteProperty(globalThis, KEY))

describe('in a thread that is not a frontend', () => {
  it('each call rejects with a remedy', () =>
    rows<() => Promise<unknown>>({
      invoke: () => invoke('greet'),
      emit: () => emit('e'),
      emitTo: () => emitTo('main', 'e'),
      listen: () => listen('e', () => {}),
      once: () => once('e'),
      stream: async () => stream('numbers'),
      getLabel: async () => getLabel(),
      getData: async () => getData(),
    })(async call => {
      const error = await call().catch((thrown: unknown) => thrown)
      expect(isBusError(error, 'Disconnected')).toBe(true)
      expect(error).toMatchObject({ data: { delivered: 'no' } })
      expect(String(error)).toContain('This thread is not a frontend')
      expect(String(error)).toMatch(/bus\.connect\(label\)|`await connect\(\)` of @sallyport\/web\/client/)
    }))
})

describe('in a frontend', () => {
  it("the functions use the thread's client", async () => {
    const { client, peer } = setUp()
    setCurrentClient(client)
    expect(currentClient()).toBe(client)
    const heard: unknown[] = []
    const channel = new Channel(message => heard.push(message))
    const call = invoke('greet', { channel }, { headers: { x: '1' } })
    const listening = [listen('e', ({ payload }) => void heard.push(payload)), once('f', () => {}, { target: 'main' })]
    await emit('a', 1)
    await emitTo('main', 'b', 2)
    await crossed()
    expect(peer.methods).toEqual([
      'greet',
      ...Array<string>(2).fill('plugin:event|listen'),
      'plugin:event|emit',
      'plugin:event|emit_to',
    ])
    expect(peer.received[0]!.headers).toEqual({ x: '1' })
    peer.send(result(1, 'hello'), result(2, 5), result(3, 6), notify('$/event', { event: 'e', ids: [5], payload: 'p' }))
    peer.send(notify('$/channel', { channel: channel.id, index: 0, message: 'm' }))
    expect(await call).toBe('hello')
    await Promise.all(listening)
    await crossed()
    expect(heard).toEqual(['p', 'm'])
  })

  it('the client is found by another copy of the package, and can be replaced', () => {
    const [first, second] = [setUp().client, setUp().client]
    setCurrentClient(first)
    expect((globalThis as Record<symbol, unknown>)[KEY]).toBe(first)
    setCurrentClient(second)
    expect(currentClient()).toBe(second)
    expect(Object.keys(globalThis)).not.toContain(KEY)
  })
})
