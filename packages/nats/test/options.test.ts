// What `natsNetwork` takes, and what of NATS's own set-up it gets along with.
import { describe, expect, test } from 'vitest'
import { createBusSecret } from '../src/handshake/credential.js'
import { natsNetwork, type NatsNetworkOptions } from '../src/core/nats-network.js'
import { hasOpenssl, makeCertificate } from './certificate.js'
import { openFar } from './far-frontend.js'
import { newBus, startInstance } from './instance.js'
import { hasServer, useServer } from './server.js'

const right = { nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', secret: createBusSecret() }

describe('natsNetwork', () => {
  test('gives a module and plain data, whole', () => {
    const { module, options } = natsNetwork(right)
    expect(module.href).toMatch(/worker\.js$/)
    expect(structuredClone(options)).toEqual({
      ...right,
      revoked: [],
      heartbeat: 2000,
      instance: expect.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/),
    })
    expect(natsNetwork(right).options).not.toEqual(options)
  })

  test.each<[object, string]>([
    [{ bus: 'a.b' }, 'natsNetwork: bus must be 1 to 64 letters, digits, "-" and "_"'],
    [{ instance: '*' }, 'natsNetwork: instance must be 1 to 64 letters'],
    [{ nats: { servers: 'http://x' } }, 'natsNetwork: nats.servers must be a server'],
    [{ secret: 'hunter2hunter2' }, 'The secret of a bus must be base64url of at least 32 random bytes'],
    [{ secret: undefined }, 'natsNetwork: secret is missing'],
    [{ revoked: ['x'] }, 'revoked must be ids of credentials'],
    [{ heartbeat: 5 }, 'natsNetwork: heartbeat must be whole milliseconds, from 50 to 60000'],
    [{ nope: 1 }, 'natsNetwork: unknown option "nope"'],
    [
      { nats: { server: 'nats://127.0.0.1:4222' } },
      'natsNetwork: unknown option "nats.server", and nats.servers is missing: given are server',
    ],
  ])('refuses %j', (wrong, text) => {
    const given = { ...right, ...wrong } as NatsNetworkOptions
    expect(() => natsNetwork(given)).toThrow(text)
    expect(() => natsNetwork(given)).not.toThrow('hunter2')
  })
})

describe.skipIf(!hasServer)('an instance', () => {
  test('does not start where no server is, or one refuses, and says so without the password', async () => {
    const server = await useServer({ config: 'authorization { user: ann, password: right }' })
    const network = { ...newBus(server.url), nats: { servers: server.url, user: 'ann', pass: 'wr0ng' } }
    const start = (): Promise<unknown> => startInstance(network)
    const error = await start().catch((thrown: unknown) => thrown as Error)
    expect(String(error)).toContain('refused the connection')
    expect(String(error)).not.toContain('wr0ng')
  })

  test('starts with the permissions that it needs, and tells which one is missing', async () => {
    const bus = `sallyport.shop.>`
    const user = (name: string, subscribe: string[]): string => {
      const permissions = `publish: [">"], subscribe: ${JSON.stringify(subscribe)}`
      return `{ user: ${name}, password: right, permissions { ${permissions} } }`
    }
    const users = [user('core', [bus]), user('none', ['sallyport.shop.open', '_INBOX.>'])]
    const server = await useServer({ config: `authorization { users: [${users.join(', ')}] }` })
    const as = (name: string): NatsNetworkOptions => ({
      ...right,
      nats: { servers: server.url, user: name, pass: 'right' },
    })
    const { faults } = await startInstance(as('core'))
    // It may not answer NATS's discovery, and works.
    await expect.poll(() => faults.map(({ message }) => message)).toContainEqual(expect.stringContaining('$SRV.PING'))
    await expect(startInstance(as('none'))).rejects.toThrow('NATS refused a subscription to sallyport.shop.to.')
  })

  test.skipIf(!hasOpenssl)('speaks TLS, and only with a server that it can trust', async () => {
    const { key, cert } = makeCertificate()
    const server = await useServer({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` })
    const servers = `tls://localhost:${server.port}`
    const { bus } = await startInstance({ ...right, nats: { servers, tls: { caFile: cert } } })
    expect((await bus.stats()).network?.total).toMatchObject({ sessions: 0 })
    await expect(startInstance({ ...right, nats: { servers } })).rejects.toThrow('no connection to NATS')
  })

  test('that ends takes no further session, and ends those that said nothing', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const { bus } = await startInstance({ ...network, instance: 'one' })
    const far = await openFar({ url, ...network, label: 'far' })
    await bus.close()
    await expect(far.client.invoke('greet', { name: 'x' })).rejects.toMatchObject({ reason: 'Disconnected' })
    const hello = far.nats.request(`sallyport.${network.bus}.open`, far.hello)
    await expect(hello).rejects.toThrow('no responders')
  })
})
