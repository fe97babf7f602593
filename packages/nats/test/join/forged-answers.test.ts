// Somebody at the broker who answers every hello before core does: what has joined goes on as soon as core is heard.
import { BusError } from '@sallyport/protocol'
import { headers } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { writeRefusal } from '../../src/handshake/messages.js'
import { revocableId } from '../../src/index.js'
import { openNats } from '../far-frontend.js'
import { hasServer } from '../server.js'
import { useWorld, type World } from './world.js'

/** Answers hellos. Gives how often it has, and what ends it. */
async function liar(
  { server }: World,
  lie: 'refusal' | 'nobody',
): Promise<{ lies: () => number; end(): Promise<void> }> {
  const nats = await openNats(server.url)
  let lies = 0
  const nobody = headers(503, 'No Responders')
  const refusal = writeRefusal(new BusError('Denied', 'The credential was revoked'))
  const callback = (_error: unknown, { reply }: { reply?: string }): void => {
    lies += 1
    if (lie === 'refusal') nats.publish(reply!, refusal)
    else nats.publish(reply!, new Uint8Array(), { headers: nobody })
  }
  for (const subject of ['open', 'open.*']) nats.subscribe(`sallyport.test.${subject}`, { callback })
  await nats.flush()
  return { lies: () => lies, end: () => nats.close() }
}

const reason = (error: unknown): unknown => (error as { reason?: unknown }).reason

describe.skipIf(!hasServer)('a forged answer to a hello', () => {
  test('ends nothing for good where core was heard before', async () => {
    const world = await useWorld()
    const a = await world.start('a')
    const joined = await world.join()
    const failed: string[] = []
    joined.on('failed', ({ label }) => failed.push(label))
    const clients = [await joined.connect('spread'), await joined.connect('sticky', { sticky: true })]
    for (const client of clients) expect(await client.invoke('who')).toBe('a')
    const { lies, end } = await liar(world, 'refusal')
    await a.bus.close({ timeout: 0 })
    await expect.poll(lies, { timeout: 15_000 }).toBeGreaterThan(4)
    await end()
    await world.start('b')
    for (const client of clients) {
      await expect.poll(() => client.invoke('who').catch(reason), { timeout: 15_000 }).toBe('b')
    }
    expect(failed).toEqual([])
  })

  test.each(['refusal', 'nobody'] as const)('gives way to core’s own: %s', async lie => {
    const world = await useWorld()
    await world.start('a')
    const { lies, end } = await liar(world, lie)
    const client = await (await world.join()).connect('web', { sticky: true })
    expect(await client.invoke('who')).toBe('a')
    expect(lies()).toBeGreaterThan(0)
    await end()
  })

  test('is told from core’s own: what was revoked fails for good, also later', async () => {
    const world = await useWorld()
    const a = await world.start('a')
    const credential = world.credential('web')
    const joined = await world.join({ credentials: [credential] })
    const failed: string[] = []
    joined.on('failed', ({ error }) => failed.push(error.message))
    const client = await joined.connect('web', { sticky: true })
    expect(await client.invoke('who')).toBe('a')
    await a.bus.close({ timeout: 0 })
    await world.start('b', {}, { revoked: [revocableId(credential)] })
    await expect.poll(() => failed, { timeout: 15_000 }).toEqual([expect.stringContaining('revoked')])
  })
})
