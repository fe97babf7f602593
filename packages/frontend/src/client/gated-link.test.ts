import type { Link } from '@sallyport/protocol'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryLinkPair } from '../../../protocol/test/memory-link.js'
import { crossed, failure, JSON_KIND, Peer, result } from '../../test/peer.js'
import { Client } from './client.js'
import { throughGate } from './gated-link.js'

/** Records the frames of a link as `kind:body`, and its end. */
function watch(link: Link): string[] {
  const log: string[] = []
  link.receive({
    frame: ({ kind, body }) => log.push(`${kind}:${Buffer.from(body).toString()}`),
    closed: fault => log.push(fault ? `fault: ${fault.message}` : 'closed'),
  })
  return log
}

function setUp() {
  const [coreNear, core] = createMemoryLinkPair()
  const [gateNear, gate] = createMemoryLinkPair()
  const link = throughGate(coreNear, gateNear)
  return { link, core, gate, atCore: watch(core), atGate: watch(gate) }
}

describe('a gated link', () => {
  it('sends every frame to the gate, and none to core', async () => {
    const { link, atCore, atGate } = setUp()
    link.receive({ frame: () => {}, closed: () => {} })
    link.send({ kind: 1, body: 'a' })
    link.send({ kind: 2, body: 'b' })
    link.send({ kind: 3, body: 'forged' })
    await crossed()
    expect([atGate, atCore]).toEqual([['1:a', '2:b', '3:forged'], []])
  })

  it('forwards records to core unchanged and in order, and delivers other frames of the gate', async () => {
    const { link, gate, atCore } = setUp()
    const seen = watch(link)
    gate.send({ kind: 3, body: 'one' })
    gate.send({ kind: 1, body: 'rejected' })
    gate.send({ kind: 3, body: 'two' })
    gate.send({ kind: 2, body: 'bytes' })
    await crossed()
    expect([atCore, seen]).toEqual([
      ['3:one', '3:two'],
      ['1:rejected', '2:bytes'],
    ])
  })

  it('delivers every frame of core', async () => {
    const { link, core, atGate } = setUp()
    const seen = watch(link)
    core.send({ kind: 1, body: 'a' })
    core.send({ kind: 3, body: 'b' })
    await crossed()
    expect([seen, atGate]).toEqual([['1:a', '3:b'], []])
  })

  it.each(['core', 'gate'] as const)('closes both links once when %s closes', async side => {
    const parts = setUp()
    const seen = watch(parts.link)
    parts[side].close()
    await crossed()
    parts.link.close()
    await crossed()
    expect([seen, parts.atCore, parts.atGate]).toEqual([['closed'], ['closed'], ['closed']])
  })

  it('lets the gate forward its messages when its owner closes it, then closes both links', async () => {
    const { link, gate, core, atCore, atGate } = setUp()
    const seen = watch(link)
    link.close()
    link.close()
    await crossed()
    expect([seen, atCore, atGate]).toEqual([[], [], ['4:']])
    core.send({ kind: 1, body: 'too late' })
    gate.send({ kind: 3, body: 'the last record' })
    gate.send({ kind: 4, body: '' })
    await crossed()
    expect([seen, atCore, atGate]).toEqual([['closed'], ['3:the last record', 'closed'], ['4:', 'closed']])
  })

  it('closes when the gate does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const { link, atCore } = setUp()
    const seen = watch(link)
    link.close()
    vi.advanceTimersByTime(500)
    vi.useRealTimers()
    await crossed()
    expect([seen, atCore]).toEqual([['closed'], ['closed']])
  })

  it('pauses the gate while core has no room, and keeps the order', async () => {
    const { link, core, gate, atCore } = setUp()
    link.receive({ frame: () => {}, closed: () => {} })
    core.pause()
    const record = new Uint8Array(2 ** 20)
    let sent = 0
    while (!gate.room() && sent < 100) {
      gate.send({ kind: 3, body: record })
      sent++
      await crossed()
    }
    // The capacity of both links, and one more record for each.
    expect(sent).toBeLessThan(20)
    expect(atCore).toEqual([])
    expect(link.queued).toBeGreaterThan(0)
    core.resume()
    await gate.room()
    await crossed()
    expect(atCore).toHaveLength(sent)
    expect([gate.queued, link.queued]).toEqual([0, 0])
  })

  it('delivers nothing while it is paused', async () => {
    const { link, core, gate, atCore } = setUp()
    const seen = watch(link)
    link.pause()
    gate.send({ kind: 1, body: 'a' })
    core.send({ kind: 1, body: 'b' })
    await crossed()
    expect(seen).toEqual([])
    link.resume()
    gate.send({ kind: 3, body: 'c' })
    await crossed()
    expect(seen.sort()).toEqual(['1:a', '1:b'])
    expect(atCore).toEqual(['3:c'])
  })

  it('reports a fault of either link', async () => {
    for (const side of ['core', 'gate'] as const) {
      let end: ((fault: never) => void) | undefined
      const faulty: Link = {
        queued: 0,
        room: () => undefined,
        pause: () => {},
        resume: () => {},
        send: () => {},
        receive: receiver => (end = receiver.closed.bind(receiver)),
        close: () => {},
      }
      const [near, far] = createMemoryLinkPair()
      const other = watch(far)
      const seen = watch(side === 'core' ? throughGate(faulty, near) : throughGate(near, faulty))
      end!(new Error('no frame') as never)
      await crossed()
      expect([seen, other]).toEqual([['fault: no frame'], ['closed']])
    }
  })
})

describe('a client with a gated link', () => {
  function connect() {
    const [coreNear, coreFar] = createMemoryLinkPair()
    const [gateNear, gateFar] = createMemoryLinkPair()
    const [gate, core] = [new Peer(gateFar), new Peer(coreFar)]
    return { client: new Client(throughGate(coreNear, gateNear), { label: 'main' }), gate, core }
  }

  it('gets responses of core, and rejections of the gate', async () => {
    const { client, gate, core } = connect()
    const calls = [client.invoke('a'), client.invoke('b')]
    const settled = Promise.allSettled(calls)
    await crossed()
    expect([gate.methods, gate.kinds, core.methods]).toEqual([['a', 'b'], [JSON_KIND], []])
    gate.send(failure(2, -32002, 'command "b" was rejected by the isolation hook (it threw)', { why: 'threw' }))
    core.send(result(1, 'fine'))
    expect(await settled).toMatchObject([{ value: 'fine' }, { reason: { reason: 'Rejected', data: { why: 'threw' } } }])
  })

  it.each(['gate', 'core'] as const)('loses its calls when %s closes', async side => {
    const { client, ...peers } = connect()
    const call = client.invoke('a')
    await crossed()
    peers[side].close()
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await crossed()
    expect([peers.gate.closed, peers.core.closed]).toEqual([true, true])
  })

  it('rejects calls with the reason that the gate has sent', async () => {
    const { client, gate } = connect()
    const call = client.invoke('a')
    gate.send(failure(null, -32600, 'A gate takes messages, and no records'))
    gate.close()
    await expect(call).rejects.toThrow('The link to core has failed: A gate takes messages, and no records')
  })
})
