// Clients of the broker that have no key: what a subscriber sees, and what a publisher can do.
import { BusError } from '@sallyport/protocol/internal/errors'
import { writeRefusal } from '../../../src/handshake/messages.js'
import { getCredentialId } from '../../../src/index.js'
import { openNats } from '../../long/remote-frontend.js'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasServer } from '../../long/server.js'
import { useNetwork, type TestNetwork, getReason } from '../../long/join/test-network.js'

interface Seen {
  subject: string
  data: Buffer
  reply: string | undefined
}

async function recordMessages(network: TestNetwork): Promise<{ nats: NatsConnection; seen: Seen[] }> {
  const nats = await connect({ servers: network.server.url })
  onTestFinished(() => nats.close())
  const seen: Seen[] = []
  nats.subscribe('>', {
    callback: (_error, { subject, data, reply }) => void seen.push({ subject, data: Buffer.from(data), reply }),
  })
  await nats.flush()
  return { nats, seen }
}

const toText = (seen: Seen[]): string => Buffer.concat(seen.map(({ data }) => data)).toString('latin1')

describe.skipIf(!hasServer)('a subscriber', () => {
  test('sees no calls, answers, events and secrets in clear', async () => {
    const network = await useNetwork()
    const { seen } = await recordMessages(network)
    const a = await network.startInstance('a')
    await network.startInstance('b')
    const client = await (await network.join()).connect('balanced')
    const received: unknown[] = []
    await client.listen('pong', ({ payload }) => void received.push(payload))
    expect(await client.invoke('echo', { text: 'a secret of mine' })).toEqual({ text: 'a secret of mine' })
    await client.emit('ping', 'a secret of mine')
    await expect.poll(() => received.length).toBeGreaterThan(0)
    await a.bus.emit('pong', 'a secret of mine')
    await expect.poll(() => received.length).toBeGreaterThan(1)
    await expect.poll(() => seen.length).toBeGreaterThan(10)
    for (const word of ['secret', 'echo', 'pong', 'jsonrpc', 'listen']) expect(toText(seen)).not.toContain(word)
    expect(toText(seen)).not.toContain(network.secret)
    expect(toText(seen)).not.toContain(network.createCredential('balanced').slice(20, 60))
  })
})

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('a publisher, %s', pattern => {
  test('ends no session and calls nothing by forging, replaying, or sending "no responders"', async () => {
    const network = await useNetwork(pattern)
    const { nats, seen } = await recordMessages(network)
    // No peer is lost: a busy machine must not end a session either.
    const instance = await network.startInstance('a', {}, { heartbeat: 60_000 })
    const joined = await network.join({ heartbeat: 60_000 })
    const faults: unknown[] = []
    joined.on('fault', ({ error }) => faults.push(error))
    const client = await joined.connect('web', { sticky: true })
    const held = client.invoke('hold')
    await expect.poll(() => instance.seen.release.length).toBe(1)
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
    // The client can have the answer before this subscriber.
    await expect.poll(() => seen.some(({ subject }) => /\.from\b/.test(subject))).toBe(true)
    const messages = seen.filter(({ subject }) => /\.(to|from|open)\b/.test(subject))
    expect(messages.length).toBeGreaterThan(2)
    for (const { subject, data, reply } of messages) {
      nats.publish(subject, data, reply === undefined ? {} : { reply })
      const changed = Buffer.from(data)
      changed[changed.length - 1]! ^= 1
      nats.publish(subject, changed)
      nats.publish(subject, new Uint8Array())
      nats.publish(subject, new Uint8Array(), { headers: headers(503, 'No Responders') })
    }
    await nats.flush()
    // Everything that was published before is handled by then.
    for (let call = 0; call < 20; call++) expect(await client.invoke('add', { a: call, b: 1 })).toBe(call + 1)
    await expect.poll(() => faults.length).toBeGreaterThan(0)
    expect(faults[0]).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('forged or replayed'),
    })
    expect(instance.seen.release).toHaveLength(1)
    instance.seen.release[0]!()
    expect(await held).toBe('a')
    expect(instance.seen.aborted).toEqual([])
  })

  test('keeps no process from joining by answering first', async () => {
    const network = await useNetwork(pattern)
    const nats = await connect({ servers: network.server.url })
    onTestFinished(() => nats.close())
    const answers = [new Uint8Array(), Uint8Array.of(1, 3, 0xff, 0xff, 0x82, 0xff, 110, 111), new Uint8Array(100)]
    nats.subscribe('sallyport.test.open', {
      callback: (_error, message) => answers.forEach(answer => message.respond(answer)),
    })
    nats.subscribe('$SRV.PING.*', {
      callback: (_error, message) => {
        for (const id of ['a', 'ghost', '../x', '*', 7]) message.respond(JSON.stringify({ id }))
        message.respond('no json')
      },
    })
    await nats.flush()
    await network.startInstance('a')
    const client = await (await network.join()).connect('web')
    for (let call = 0; call < 20; call++) expect(await client.invoke('who')).toBe('a')
  })
})

// A client of the broker that answers every hello before core does: joined processes accept core's own answer.
describe('a client that answers before core', () => {
  /** Answers hellos. Returns functions that count the answers and end it. */
  async function answerHellos(
    { server }: TestNetwork,
    answer: 'refusal' | 'no responders',
  ): Promise<{ countAnswers: () => number; end(): Promise<void> }> {
    const nats = await openNats(server.url)
    let count = 0
    const noResponders = headers(503, 'No Responders')
    const refusal = writeRefusal(new BusError('Denied', 'The credential was revoked'))
    const callback = (_error: unknown, { reply }: { reply?: string }): void => {
      count += 1
      if (answer === 'refusal') nats.publish(reply!, refusal)
      else nats.publish(reply!, new Uint8Array(), { headers: noResponders })
    }
    for (const subject of ['open', 'open.*']) nats.subscribe(`sallyport.test.${subject}`, { callback })
    await nats.flush()
    return { countAnswers: () => count, end: () => nats.close() }
  }

  describe.skipIf(!hasServer)('a forged answer to a hello', () => {
    test('does not fail a connection that had a session before', async () => {
      const network = await useNetwork()
      const a = await network.startInstance('a')
      const joined = await network.join()
      const failed: string[] = []
      joined.on('failed', ({ label }) => failed.push(label))
      const clients = [await joined.connect('balanced'), await joined.connect('sticky', { sticky: true })]
      for (const client of clients) expect(await client.invoke('who')).toBe('a')
      const { countAnswers, end } = await answerHellos(network, 'refusal')
      await a.bus.close({ timeout: 0 })
      await expect.poll(countAnswers).toBeGreaterThan(4)
      await end()
      await network.startInstance('b')
      for (const client of clients) {
        await expect.poll(() => client.invoke('who').catch(getReason)).toBe('b')
      }
      expect(failed).toEqual([])
    })

    test.each(['refusal', 'no responders'] as const)("is replaced by core's own: %s", async answer => {
      const network = await useNetwork()
      await network.startInstance('a')
      const { countAnswers, end } = await answerHellos(network, answer)
      const client = await (await network.join()).connect('web', { sticky: true })
      expect(await client.invoke('who')).toBe('a')
      expect(countAnswers()).toBeGreaterThan(0)
      await end()
    })

    test("differs from core's own: a revoked credential fails for good, even after a session", async () => {
      const network = await useNetwork()
      const a = await network.startInstance('a')
      const credential = network.createCredential('web')
      const joined = await network.join({ credentials: [credential] })
      const failed: string[] = []
      joined.on('failed', ({ error }) => failed.push(error.message))
      const client = await joined.connect('web', { sticky: true })
      expect(await client.invoke('who')).toBe('a')
      await a.bus.close({ timeout: 0 })
      await network.startInstance('b', {}, { revoked: [getCredentialId(credential)] })
      await expect.poll(() => failed).toEqual([expect.stringContaining('revoked')])
    })
  })
})
