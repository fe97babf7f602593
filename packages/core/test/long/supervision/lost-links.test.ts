// Links that close while both ends are alive: no exit would lead to a new link, so the host reports a fault and ends the frontend.
import { MessagePort } from 'node:worker_threads'
import { describe, expect, test, vi } from 'vitest'
import { fixture, next } from '../../support/start.js'
import { eventually, disconnected, patientPatterns, supervise } from '../../support/supervised.js'

const message = (label: string): string => `The link between frontend "${label}" and core closed unexpectedly`

describe.each(patientPatterns)('%s', (_name, app) => {
  test('a frontend that closes its ports restarts', async () => {
    const main = { module: fixture('supervision/reborn-frontend.mjs'), link: 'port', sandbox: 'none' } as const
    const { bus, events } = await supervise({ app, frontends: { main } })
    await next(bus, 'up')
    const up = next(bus, 'up')
    await bus.call('main', 'end', { how: 'drop' }).catch(() => {})
    await up
    expect(await eventually(() => bus.call('main', 'calls'))).toBe(1)
    expect(events).toMatchObject([
      { name: 'fault', label: 'main', error: { reason: 'Disconnected', message: message('main') } },
      { name: 'restart', label: 'main', worker: 'frontend' },
    ])
  })

  test('a connection of the host closes for good and frees its label', async () => {
    const { bus } = await supervise({ app })
    const client = await bus.connect('tests', { link: 'port' })
    const waiting = client.invoke('wait')
    waiting.catch(() => {})
    await client.invoke('which')
    const post = vi.spyOn(MessagePort.prototype, 'postMessage').mockImplementationOnce(function (this: MessagePort) {
      this.close()
    })
    await expect(client.invoke('which')).rejects.toMatchObject(disconnected('unknown'))
    post.mockRestore()
    await expect(waiting).rejects.toMatchObject(disconnected('unknown'))
    await expect(client.invoke('which')).rejects.toMatchObject(disconnected('no'))
    await client.closed
    const other = await bus.connect('tests')
    expect(await other.invoke('which')).toBeTypeOf('number')
  })
})
