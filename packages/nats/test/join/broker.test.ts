// What whoever listens at the broker sees, and what whoever publishes there can do.
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasServer } from '../server.js'
import { useWorld, type World } from './world.js'

interface Seen {
  subject: string
  data: Buffer
  reply: string | undefined
}

async function listen(world: World): Promise<{ nats: NatsConnection; seen: Seen[] }> {
  const nats = await connect({ servers: world.server.url })
  onTestFinished(() => nats.close())
  const seen: Seen[] = []
  nats.subscribe('>', {
    callback: (_error, { subject, data, reply }) => void seen.push({ subject, data: Buffer.from(data), reply }),
  })
  await nats.flush()
  return { nats, seen }
}

const all = (seen: Seen[]): string => Buffer.concat(seen.map(({ data }) => data)).toString('latin1')

describe.skipIf(!hasServer)('who listens', () => {
  test('sees nothing in clear in the isolation pattern: neither calls, nor answers, nor events', async () => {
    const world = await useWorld('isolation')
    const { seen } = await listen(world)
    const a = await world.start('a')
    await world.start('b')
    const client = await (await world.join()).connect('spread')
    const heard: unknown[] = []
    await client.listen('pong', ({ payload }) => void heard.push(payload))
    expect(await client.invoke('echo', { text: 'a secret of mine' })).toEqual({ text: 'a secret of mine' })
    await client.emit('ping', 'a secret of mine')
    await expect.poll(() => heard.length).toBeGreaterThan(0)
    await a.bus.emit('pong', 'a secret of mine')
    await expect.poll(() => heard.length).toBeGreaterThan(1)
    expect(seen.length).toBeGreaterThan(10)
    for (const word of ['secret', 'echo', 'pong', 'jsonrpc', 'listen']) expect(all(seen)).not.toContain(word)
  })

  test('reads calls in brownfield', async () => {
    const world = await useWorld()
    const { seen } = await listen(world)
    await world.start('a')
    const client = await (await world.join()).connect('web')
    await client.invoke('echo', { text: 'for all to read' })
    await expect.poll(() => all(seen)).toContain('for all to read')
    expect(all(seen)).not.toContain(world.secret)
    expect(all(seen)).not.toContain(world.credential('web').slice(20, 60))
  })
})

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('who publishes, %s', pattern => {
  test('ends no session, and calls nothing: by forging, repeating, or saying that nobody is there', async () => {
    const world = await useWorld(pattern)
    const { nats, seen } = await listen(world)
    const instance = await world.start('a')
    const joined = await world.join()
    const faults: unknown[] = []
    joined.on('fault', ({ error }) => faults.push(error))
    const client = await joined.connect('web', { sticky: true })
    const held = client.invoke('hold')
    await expect.poll(() => instance.seen.letGo.length).toBe(1)
    const theirs = seen.filter(({ subject }) => /\.(to|from|open)\b/.test(subject))
    expect(theirs.length).toBeGreaterThan(2)
    for (const { subject, data, reply } of theirs) {
      nats.publish(subject, data, reply === undefined ? {} : { reply })
      const changed = Buffer.from(data)
      changed[changed.length - 1]! ^= 1
      nats.publish(subject, changed)
      nats.publish(subject, new Uint8Array())
      nats.publish(subject, new Uint8Array(), { headers: headers(503, 'No Responders') })
    }
    await nats.flush()
    // Everything that was published before it has been taken by then.
    for (let call = 0; call < 20; call++) expect(await client.invoke('add', { a: call, b: 1 })).toBe(call + 1)
    await expect.poll(() => faults.length).toBeGreaterThan(0)
    expect(faults[0]).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('forged or replayed'),
    })
    expect(instance.seen.letGo).toHaveLength(1)
    instance.seen.letGo[0]!()
    expect(await held).toBe('a')
    expect(instance.seen.aborted).toEqual([])
  })

  test('keeps nobody from joining by answering first', async () => {
    const world = await useWorld(pattern)
    const nats = await connect({ servers: world.server.url })
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
    await world.start('a')
    const client = await (await world.join()).connect('web')
    for (let call = 0; call < 20; call++) expect(await client.invoke('who')).toBe('a')
  })
})
