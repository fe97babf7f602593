// A client of the broker that answers every hello before core does: joined processes accept core's own answer.
import { BusError } from '@sallyport/protocol/internal/errors'
import { headers } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { writeRefusal } from '../../../src/handshake/messages.js'
import { getCredentialId } from '../../../src/index.js'
import { openNats } from '../../long/remote-frontend.js'
import { hasServer } from '../../long/server.js'
import { getReason, type TestNetwork, useNetwork } from '../../long/join/test-network.js'

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
