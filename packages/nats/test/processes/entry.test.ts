// How processes are let in: by the server of NATS, with TLS, users and the permissions that docs/security.md names, and by core,
// with the credentials of their labels.
import { createBusSecret, issueCredential, revocableId } from '@sallyport/nats'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { hasOpenssl, makeCertificate } from '../certificate.js'
import type { Process } from '../processes.js'
import { CALM, end, failures, PATIENCE, progress, spread, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

/** Of a bus called `shop`, as the scenes have it. */
async function documentedUsers(): Promise<string> {
  const text = await readFile(new URL('../../../../docs/security.md', import.meta.url), 'utf8')
  const [, users] = /```text\n(authorization \{\n.*?)```/s.exec(text)!
  return users!.replace('$CORE_PASSWORD', 'c0re').replace('$JOINED_PASSWORD', 'j0ined')
}

const faultsOf = async (process: Process, reason: string): Promise<string[]> => {
  const faults = await process.ask<{ reason: string; message: string }[]>('faults')
  return faults.filter(fault => fault.reason === reason).map(({ message }) => message)
}

describe.skipIf(!hasServer)('a process', { timeout: 3 * PATIENCE }, () => {
  test.skipIf(!hasOpenssl)(
    'gets along with the permissions that are documented, over TLS, and comes back so',
    async () => {
      const { key, cert } = makeCertificate()
      const config = `${await documentedUsers()}\ntls { cert_file: "${cert}", key_file: "${key}" }`
      const server = await useServer({ config })
      const as = (user: string, pass: string) => ({
        nats: { servers: `tls://127.0.0.1:${server.port}`, user, pass, tls: { caFile: cert } },
      })
      const scene = await useScene({}, 'isolation')
      const cores = await Promise.all([scene.core('a', as('core', 'c0re')), scene.core('b', as('core', 'c0re'))])
      const joined = await scene.joined({ join: as('joined', 'j0ined') })
      await joined.ask('connect', { label: 'spread' })
      await joined.ask('open', { label: 'guest' })
      await joined.ask('listen', { label: 'spread', event: 'news' })
      await joined.ask('load', { label: 'spread' })
      await spread(joined, 'spread')
      for (const at of [0, 1]) await cores[at]!.ask('emit', { event: 'news', payload: at })
      await expect.poll(async () => new Set(await joined.ask<number[]>('heard'))).toEqual(new Set([0, 1]))
      const invoke = { label: 'guest', method: 'invoke', args: { command: 'who' } }
      expect(['a', 'b']).toContain(await joined.ask('guest', invoke))

      const lost = await failures(joined, 'spread')
      await server.kill()
      await lost()
      await server.restart()
      await spread(joined, 'spread')
      await scene.settle([joined, 'spread'])
      for (const process of [joined, ...cores]) expect(await faultsOf(process, 'Denied')).toEqual([])
      // What a joined process has of NATS is not what makes an instance.
      await expect(scene.core('c', as('joined', 'j0ined'))).rejects.toThrow('NATS refused a subscription')
      await expect(scene.core('c', as('core', 'wr0ng'))).rejects.toThrow('refused the connection')
      await end(joined, ...cores)
    },
  )

  test('enters with a token, and without it neither core nor what joins', async () => {
    const { url } = await useServer({ config: 'authorization { token: right }' })
    const scene = await useScene({ servers: url, token: 'right' })
    const [core, joined] = [await scene.core('a'), await scene.joined()]
    await joined.ask('connect', { label: 'app' })
    await joined.ask('load', { label: 'app' })
    await progress(joined, 'app')
    const without = { nats: { servers: url, token: 'wr0ng' } }
    for (const start of [() => scene.core('b', without), () => scene.joined({ join: without })]) {
      const error = await start().catch((thrown: unknown) => thrown as Error)
      expect(String(error)).toContain('refused the connection')
      expect(String(error)).not.toContain('wr0ng')
    }
    await scene.settle([joined, 'app'])
    await end(joined, core)
  })

  test('has no label without its credential, and takes it from nobody', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, 'brownfield', CALM)
    const revoked = issueCredential(scene.secret, { label: 'app' })
    const core = await scene.core('a', { revoked: [revocableId(revoked)] })
    const joined = await scene.joined()
    await joined.ask('connect', { label: 'app' })
    await joined.ask('load', { label: 'app' })
    const expires = new Date(Date.now() + 100)
    const refused = [
      [issueCredential(createBusSecret(), { label: 'app' }), /credential/],
      [revoked, /revoked/],
      [issueCredential(scene.secret, { label: 'app', expires }), /expired/],
    ] as const
    await expect.poll(() => Date.now()).toBeGreaterThan(expires.getTime())
    for (const [credential, text] of refused) {
      const other = await scene.joined({ credentials: [credential] })
      await expect(other.ask('connect', { label: 'app' })).rejects.toMatchObject({
        reason: 'Denied',
        message: expect.stringMatching(text),
      })
      await end(other)
    }
    expect(await faultsOf(core, 'Denied')).toHaveLength(3)
    await progress(joined, 'app')
    const [report] = await scene.settle([joined, 'app'])
    expect(report!.failures).toEqual({})
    await end(joined, core)
  })
})
