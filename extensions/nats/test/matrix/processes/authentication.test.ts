// How processes are admitted: by the NATS server, with TLS, users and the permissions in docs/internals/nats-protocol.md; and by core, with the
// credentials of their labels.
import { createBusSecret, issueCredential, getCredentialId } from '@sallyport/nats'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { hasOpenssl, makeCertificate } from '../../long/certificate.js'
import {
  closeProcesses,
  LONG_HEARTBEAT_MS,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import type { Process } from '../../long/processes.js'
import { hasServer, useServer } from '../../long/server.js'

/** Returns the users that docs/internals/nats-protocol.md configures for a bus called `shop`. */
async function readDocumentedUsers(): Promise<string> {
  const text = await readFile(new URL('../../../../../docs/internals/nats-protocol.md', import.meta.url), 'utf8')
  const [, users] = /```text\n(authorization \{\n.*?)```/s.exec(text)!
  return users!.replace('$CORE_PASSWORD', 'c0re').replace('$JOINED_PASSWORD', 'j0ined')
}

const getFaults = async (process: Process, reason: string): Promise<string[]> => {
  const faults = await process.call<{ reason: string; message: string }[]>('faults')
  return faults.filter(fault => fault.reason === reason).map(({ message }) => message)
}

describe.skipIf(!hasServer)('a process', { timeout: 3 * TIMEOUT_MS }, () => {
  test.skipIf(!hasOpenssl)('needs only the documented permissions, over TLS, also to reconnect', async () => {
    const { key, cert } = makeCertificate()
    const config = `${await readDocumentedUsers()}\ntls { cert_file: "${cert}", key_file: "${key}" }`
    const server = await useServer({ config })
    const as = (user: string, pass: string) => ({
      nats: { servers: `tls://127.0.0.1:${server.port}`, user, pass, tls: { caFile: cert } },
    })
    const network = await useProcesses({}, 'isolation')
    const [joined, ...cores] = await Promise.all([
      network.startJoined({ join: as('joined', 'j0ined') }),
      network.startCore('a', as('core', 'c0re')),
      network.startCore('b', as('core', 'c0re')),
    ])
    await joined.call('connect', { label: 'balanced' })
    await joined.call('open', { label: 'worker' })
    await joined.call('listen', { label: 'balanced', event: 'news' })
    await joined.call('load', { label: 'balanced' })
    await waitForInstances(joined, 'balanced')
    for (const at of [0, 1]) await cores[at]!.call('emit', { event: 'news', payload: at })
    await expect.poll(async () => new Set(await joined.call<number[]>('received'))).toEqual(new Set([0, 1]))
    const invoke = { label: 'worker', method: 'invoke', args: { command: 'who' } }
    expect(['a', 'b']).toContain(await joined.call('worker', invoke))

    const failed = await trackFailures(joined, 'balanced')
    await server.kill()
    await failed()
    await server.restart()
    await waitForInstances(joined, 'balanced')
    await network.settle([joined, 'balanced'])
    for (const process of [joined, ...cores]) expect(await getFaults(process, 'Denied')).toEqual([])
    // The permissions of a joined process are not enough for an instance.
    await Promise.all([
      expect(network.startCore('c', as('joined', 'j0ined'))).rejects.toThrow('NATS refused a subscription'),
      expect(network.startCore('d', as('core', 'wr0ng'))).rejects.toThrow('refused the connection'),
    ])
    await closeProcesses(joined, ...cores)
  })

  test("needs the server's token and a valid credential of its label", async () => {
    const { url } = await useServer({ config: 'authorization { token: right }' })
    const network = await useProcesses({ servers: url, token: 'right' }, 'brownfield', LONG_HEARTBEAT_MS)
    const revoked = issueCredential(network.secret, { label: 'app' })
    const [core, joined, other] = await Promise.all([
      network.startCore('a', { revoked: [getCredentialId(revoked)] }),
      network.startJoined(),
      network.startJoined(),
    ])
    await joined.call('connect', { label: 'app' })
    await joined.call('load', { label: 'app' })
    await waitForAnswers(joined, 'app')

    const wrongToken = { nats: { servers: url, token: 'wr0ng' } }
    const starts = [network.startCore('b', wrongToken), network.startJoined({ join: wrongToken })]
    for (const outcome of await Promise.allSettled(starts)) {
      expect(outcome.status).toBe('rejected')
      const error = String((outcome as PromiseRejectedResult).reason)
      expect(error).toContain('refused the connection')
      expect(error).not.toContain('wr0ng')
    }

    const expires = new Date(Date.now() + 1000)
    const refused = [
      [issueCredential(createBusSecret(), { label: 'app' }), /credential/],
      [revoked, /revoked/],
      [issueCredential(network.secret, { label: 'app', expires }), /expired/],
    ] as const
    await expect.poll(() => Date.now()).toBeGreaterThan(expires.getTime())
    for (const [credential, text] of refused) {
      await other.call('choose', { label: 'app', credential })
      await expect(other.call('connect', { label: 'app' })).rejects.toMatchObject({
        reason: 'Denied',
        message: expect.stringMatching(text),
      })
    }
    expect(await getFaults(core, 'Denied')).toHaveLength(3)
    await waitForAnswers(joined, 'app')
    const [report] = await network.settle([joined, 'app'])
    expect(report!.failures).toEqual({})
    await closeProcesses(joined, other, core)
  })
})
