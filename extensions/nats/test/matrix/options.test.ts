// The options of `natsNetwork`, and NATS servers with users and TLS.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createBusSecret } from '../../src/handshake/credential.js'
import { natsNetwork, type NatsNetworkOptions } from '../../src/core/nats-network.js'
import { hasOpenssl, makeCertificate } from '../long/certificate.js'
import { openRemoteFrontend } from '../long/remote-frontend.js'
import { createNetworkOptions, startInstance } from '../long/instance.js'
import { hasServer, useServer } from '../long/server.js'

const valid = { nats: { servers: 'nats://127.0.0.1:4222' }, bus: 'shop', secret: createBusSecret() }

describe('natsNetwork', () => {
  test('returns a module and resolved plain options', () => {
    const { module, options } = natsNetwork(valid)
    expect(module.href).toMatch(/worker\.js$/)
    expect(structuredClone(options)).toEqual({
      ...valid,
      revoked: [],
      heartbeat: 2000,
      instance: expect.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/),
    })
    expect(natsNetwork(valid).options).not.toEqual(options)
  })

  test('rejects mistakes without repeating secrets', () =>
    rows<[object, string]>([
      [{ bus: 'a.b' }, 'natsNetwork: bus must be 1 to 64 letters, digits, "-" and "_"'],
      [{ instance: '*' }, 'natsNetwork: instance must be 1 to 64 letters'],
      [{ nats: { servers: 'http://x' } }, 'natsNetwork: nats.servers must be a server'],
      [{ secret: 'hunter2hunter2' }, 'The secret of a bus must be base64url of at least 32 random bytes'],
      [{ secret: undefined }, 'natsNetwork: secret is missing'],
      [{ revoked: ['x'] }, 'revoked must be ids of credentials'],
      [{ heartbeat: 5 }, 'natsNetwork: heartbeat must be whole milliseconds, from 50 to 60000'],
      [{ nope: 1 }, 'natsNetwork: unknown option "nope"'],
      [{ nats: { server: 'nats://127.0.0.1:4222' } }, 'natsNetwork: unknown option "nats.server"'],
    ])((invalid, text) => {
      const options = { ...valid, ...invalid } as NatsNetworkOptions
      expect(() => natsNetwork(options)).toThrow(text)
      expect(() => natsNetwork(options)).not.toThrow('hunter2')
    }))
})

describe.skipIf(!hasServer)('an instance', () => {
  test('fails to start if the server refuses, without repeating the password', async () => {
    const server = await useServer({ config: 'authorization { user: ann, password: right }' })
    const network = { ...createNetworkOptions(server.url), nats: { servers: server.url, user: 'ann', pass: 'wr0ng' } }
    const start = (): Promise<unknown> => startInstance(network)
    const error = await start().catch((thrown: unknown) => thrown as Error)
    expect(String(error)).toContain('refused the connection')
    expect(String(error)).not.toContain('wr0ng')
  })

  test('starts with the permissions that it needs, and names a missing one', async () => {
    const bus = `sallyport.shop.>`
    const user = (name: string, subscribe: string[]): string => {
      const permissions = `publish: [">"], subscribe: ${JSON.stringify(subscribe)}`
      return `{ user: ${name}, password: right, permissions { ${permissions} } }`
    }
    const users = [user('core', [bus]), user('none', ['sallyport.shop.open', '_INBOX.>'])]
    const server = await useServer({ config: `authorization { users: [${users.join(', ')}] }` })
    const as = (name: string): NatsNetworkOptions => ({
      ...valid,
      nats: { servers: server.url, user: name, pass: 'right' },
    })
    const { faults } = await startInstance(as('core'))
    // It works without the permission to answer service discovery.
    await expect.poll(() => faults.map(({ message }) => message)).toContainEqual(expect.stringContaining('$SRV.PING'))
    await expect(startInstance(as('none'))).rejects.toThrow('NATS refused a subscription to sallyport.shop.to.')
  })

  test.skipIf(!hasOpenssl)('uses TLS only with a trusted server', async () => {
    const { key, cert } = makeCertificate()
    const server = await useServer({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` })
    const servers = `tls://localhost:${server.port}`
    const { bus } = await startInstance({ ...valid, nats: { servers, tls: { caFile: cert } } })
    await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 0 })
    await expect(startInstance({ ...valid, nats: { servers } })).rejects.toThrow('no connection to NATS')
  })

  test('ends its sessions and accepts no others once it is closed', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const { bus } = await startInstance({ ...network, instance: 'one' })
    const far = await openRemoteFrontend({ url, ...network, label: 'far' })
    await bus.close()
    await expect(far.client.invoke('greet', { name: 'x' })).rejects.toMatchObject({ reason: 'Disconnected' })
    const hello = far.nats.request(`sallyport.${network.bus}.open`, far.hello, { timeout: 20_000 })
    await expect(hello).rejects.toThrow('no responders')
  })
})
