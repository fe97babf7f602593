// Who is not let in, and what they are told.
import { describe, expect, test } from 'vitest'
import { createBusSecret, issueCredential, joinBus, revocableId } from '../../src/index.js'
import { hasServer } from '../server.js'
import { useWorld } from './world.js'

describe.skipIf(!hasServer)('a process that joins', () => {
  test('is told what is wrong with its options, and with its credentials', async () => {
    const nats = { servers: 'nats://127.0.0.1:1' }
    const wrong = (options: object) => joinBus({ nats, bus: 'test', credentials: [], ...options })
    await expect(wrong({ bus: 'a.b' })).rejects.toThrow('joinBus: bus must be')
    await expect(wrong({ credentials: 'x' })).rejects.toThrow('joinBus: credentials must be an array')
    await expect(wrong({ credentials: ['x'] })).rejects.toThrow('Invalid credential')
    await expect(wrong({ heartbeat: 1 })).rejects.toThrow('joinBus: heartbeat must be')
    await expect(joinBus(undefined as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(joinBus({ nats, bus: 'test' } as never)).rejects.toThrow(
      'joinBus: credentials is missing: given are nats, bus',
    )
    const twice = issueCredential(createBusSecret(), { label: 'web' })
    await expect(wrong({ credentials: [twice, twice] })).rejects.toThrow('two credentials have the label "web"')
    await expect(wrong({})).rejects.toMatchObject({ reason: 'Disconnected' })
  })

  test('needs options that are its own, not core’s', async () => {
    const world = await useWorld()
    await expect(world.join({ core: new URL('file:///x') } as object)).rejects.toThrow('core belongs to core')
    await expect(world.join({ fronends: {} } as object)).rejects.toThrow('fronends')
  })

  test('has a credential for each label', async () => {
    const world = await useWorld()
    await world.start('a')
    const joined = await world.join({ credentials: [world.credential('web'), world.credential('jobs')] })
    await expect(joined.connect('other')).rejects.toThrow(
      'no credential has the label "other" (available: "web", "jobs")',
    )
    const lying = await world.join({ credentials: () => world.credential('web') })
    await expect(lying.connect('other')).rejects.toThrow(
      'the function returned a credential for "web" instead of "other"',
    )
    // What keeps credentials may be out of reach for a moment.
    let asked = 0
    const credentials = (label: string): string => {
      if (asked++ === 0) throw new Error('the vault is shut')
      return world.credential(label)
    }
    const client = await (await world.join({ credentials })).connect('web')
    expect(await client.invoke('who')).toBe('a')
    expect(asked).toBeGreaterThan(1)
  })

  test('is refused where its credential is of another bus, expired or revoked, and where the bus is another', async () => {
    const world = await useWorld()
    const revoked = world.credential('web')
    await world.start('a', {}, { revoked: [revocableId(revoked)] })
    const joins = async (credential: string, options = {}): Promise<unknown> => {
      const joined = await world.join({ credentials: [credential], ...options })
      return joined.connect('web').catch((error: unknown) => error)
    }
    const foreign = issueCredential(createBusSecret(), { label: 'web' })
    expect(await joins(foreign)).toMatchObject({ reason: 'Denied' })
    expect(await joins(revoked)).toMatchObject({ reason: 'Denied', message: expect.stringContaining('revoked') })
    const short = issueCredential(world.secret, { label: 'web', expires: new Date(Date.now() + 50) })
    const made = Date.now()
    await expect.poll(() => Date.now() - made).toBeGreaterThan(50)
    expect(await joins(short)).toMatchObject({ reason: 'Denied', message: expect.stringContaining('expired') })
    const isolated = { app: { security: { pattern: { use: 'isolation' } } } }
    expect(await joins(world.credential('web'), isolated)).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('pattern'),
    })
  })

  // As docs/security.md has them.
  test('needs no more of NATS than a few subjects', async () => {
    const config = `authorization { users = [
      { user: core, password: c, permissions: {
        subscribe: ["sallyport.test.open", "sallyport.test.open.*", "sallyport.test.to.*.*",
                    "sallyport.test.events", "sallyport.test.instances", "$SRV.>"]
        publish: ["sallyport.test.from.*.*", "sallyport.test.events", "sallyport.test.instances", "_INBOX.>"] } }
      { user: joined, password: j, permissions: {
        subscribe: ["sallyport.test.from.*.*"]
        publish: ["sallyport.test.open", "sallyport.test.open.*", "sallyport.test.to.*.*", "$SRV.PING.sallyport-test"] } }
      { user: other, password: o, permissions: { subscribe: { deny: ">" } } } ] }`
    const world = await useWorld('brownfield', { config })
    const servers = world.server.url
    const core = { nats: { servers, user: 'core', pass: 'c' } }
    const [a] = await Promise.all([world.start('a', {}, core), world.start('b', {}, core)])
    const faults: unknown[] = []
    a.bus.on('fault', fault => faults.push(fault))
    const joined = await world.join({ nats: { servers, user: 'joined', pass: 'j' } })
    joined.on('fault', fault => faults.push(fault))
    const client = await joined.connect('web')
    const round = async (): Promise<unknown> => new Set(await Promise.all([1, 2].map(() => client.invoke('who')))).size
    await expect.poll(round, { timeout: 10_000 }).toBe(2)
    await joined.close()
    await a.bus.close()
    expect(faults).toEqual([])
    const other = world.join({ nats: { servers, user: 'other', pass: 'o' } })
    await expect(other).rejects.toMatchObject({ reason: 'Denied' })
    await expect(world.join({ nats: { servers } })).rejects.toMatchObject({ reason: 'Denied' })
  })
})
