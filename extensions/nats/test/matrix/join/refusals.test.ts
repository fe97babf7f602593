import { describe, expect, test } from 'vitest'
import { createBusSecret, issueCredential, joinBus, getCredentialId } from '../../../src/index.js'
import { hasServer } from '../../long/server.js'
import { useNetwork } from '../../long/join/test-network.js'

describe.skipIf(!hasServer)('a process that joins', () => {
  test('gets an error that names the invalid option or credential', async () => {
    const nats = { servers: 'nats://127.0.0.1:1' }
    const joinWith = (options: object) => joinBus({ nats, bus: 'test', credentials: [], ...options })
    await expect(joinWith({ bus: 'a.b' })).rejects.toThrow('joinBus: bus must be')
    await expect(joinWith({ credentials: 'x' })).rejects.toThrow('joinBus: credentials must be an array')
    await expect(joinWith({ credentials: ['x'] })).rejects.toThrow('Invalid credential')
    await expect(joinWith({ heartbeat: 1 })).rejects.toThrow('joinBus: heartbeat must be')
    await expect(joinBus(undefined as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(joinBus({ nats, bus: 'test' } as never)).rejects.toThrow('joinBus: credentials is missing')
    const credential = issueCredential(createBusSecret(), { label: 'web' })
    await expect(joinWith({ credentials: [credential, credential] })).rejects.toThrow(
      'two credentials have the label "web"',
    )
    await expect(joinWith({})).rejects.toMatchObject({ reason: 'Disconnected' })
  })

  test('gets an error for unknown options and for options of core', async () => {
    const network = await useNetwork()
    await expect(network.join({ core: new URL('file:///x') } as object)).rejects.toThrow('core belongs to core')
    await expect(network.join({ fronends: {} } as object)).rejects.toThrow('fronends')
  })

  test('needs a credential for each label', async () => {
    const network = await useNetwork()
    await network.startInstance('a')
    const joined = await network.join({
      credentials: [network.createCredential('web'), network.createCredential('jobs')],
    })
    await expect(joined.connect('other')).rejects.toThrow(
      'no credential has the label "other" (available: "web", "jobs")',
    )
    const mistaken = await network.join({ credentials: () => network.createCredential('web') })
    await expect(mistaken.connect('other')).rejects.toThrow(
      'the function returned a credential for "web" instead of "other"',
    )
    // A store of credentials can be temporarily unavailable.
    let calls = 0
    const credentials = (label: string): string => {
      if (calls++ === 0) throw new Error('the vault is closed')
      return network.createCredential(label)
    }
    const client = await (await network.join({ credentials })).connect('web')
    expect(await client.invoke('who')).toBe('a')
    expect(calls).toBeGreaterThan(1)
  })

  test('can call what a capability for its label names, and nothing else', async () => {
    const network = await useNetwork()
    const capabilities = [{ identifier: 'a', windows: ['web'], permissions: ['allow-who'] }]
    await network.startInstance('a', { capabilities })
    const joined = await network.join()
    const [web, other] = [await joined.connect('web'), await joined.connect('other')]
    expect(await web.invoke('who')).toBe('a')
    await expect(web.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({ reason: 'Denied' })
    await expect(other.invoke('who')).rejects.toMatchObject({ reason: 'Denied' })
    await expect(joined.connect('third', { allow: ['who'] })).rejects.toThrow(
      'allow is not available for a host without',
    )
  })

  test('is refused with a credential of another bus, an expired or revoked one, or another pattern', async () => {
    const network = await useNetwork()
    const revoked = network.createCredential('web')
    await network.startInstance('a', {}, { revoked: [getCredentialId(revoked)] })
    const connectWith = async (credential: string, options = {}): Promise<unknown> => {
      const joined = await network.join({ credentials: [credential], ...options })
      return joined.connect('web').catch((error: unknown) => error)
    }
    const foreign = issueCredential(createBusSecret(), { label: 'web' })
    expect(await connectWith(foreign)).toMatchObject({ reason: 'Denied' })
    expect(await connectWith(revoked)).toMatchObject({ reason: 'Denied', message: expect.stringContaining('revoked') })
    const expires = new Date(Date.now() + 1000)
    const short = issueCredential(network.secret, { label: 'web', expires })
    await expect.poll(() => Date.now()).toBeGreaterThan(expires.getTime())
    expect(await connectWith(short)).toMatchObject({ reason: 'Denied', message: expect.stringContaining('expired') })
    const isolated = { isolation: {} }
    expect(await connectWith(network.createCredential('web'), isolated)).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('pattern'),
    })
  })

  // The permissions of docs/internals/nats-protocol.md.
  test('needs permission for a few subjects only', async () => {
    const config = `authorization { users = [
      { user: core, password: c, permissions: {
        subscribe: ["sallyport.test.open", "sallyport.test.open.*", "sallyport.test.to.*.*",
                    "sallyport.test.events", "sallyport.test.instances", "$SRV.>"]
        publish: ["sallyport.test.from.*.*", "sallyport.test.events", "sallyport.test.instances", "_INBOX.>"] } }
      { user: joined, password: j, permissions: {
        subscribe: ["sallyport.test.from.*.*"]
        publish: ["sallyport.test.open", "sallyport.test.open.*", "sallyport.test.to.*.*", "$SRV.PING.sallyport-test"] } }
      { user: other, password: o, permissions: { subscribe: { deny: ">" } } } ] }`
    const network = await useNetwork('brownfield', { config })
    const servers = network.server.url
    const core = { nats: { servers, user: 'core', pass: 'c' } }
    const [a] = await Promise.all([network.startInstance('a', {}, core), network.startInstance('b', {}, core)])
    const faults: unknown[] = []
    a.bus.on('fault', fault => faults.push(fault))
    const joined = await network.join({ nats: { servers, user: 'joined', pass: 'j' } })
    joined.on('fault', fault => faults.push(fault))
    const client = await joined.connect('web')
    const countInstances = async (): Promise<unknown> =>
      new Set(await Promise.all([1, 2].map(() => client.invoke('who')))).size
    await expect.poll(countInstances).toBe(2)
    await joined.close()
    await a.bus.close()
    expect(faults).toEqual([])
    const other = network.join({ nats: { servers, user: 'other', pass: 'o' } })
    await expect(other).rejects.toMatchObject({ reason: 'Denied' })
    await expect(network.join({ nats: { servers } })).rejects.toMatchObject({ reason: 'Denied' })
  })
})
