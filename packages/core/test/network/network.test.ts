// Frontends from a network: they are frontends like any other.
import { describe, expect, test, vi } from 'vitest'
import type { BusOptions } from '../../src/index.js'
import { dial, socketNetwork } from '../support/socket-network.js'
import { definitionIn, everyCommand, fixture, isolation, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const cores: [name: string, core: () => Promise<BusOptions['core']>][] = [
  ['in a worker', async () => fixture('core.mjs')],
  ['in this thread', () => definitionIn(fixture('core.mjs'))],
]
const sealing: [name: string, sealed: boolean, app: Partial<BusOptions>][] = [
  ['brownfield', false, { capabilities: [everyCommand] }],
  ['isolation', true, isolation()],
]

describe.each(choose(cores, 0))('core %s', (_where, core) => {
  describe.each(choose(sealing))('%s', (_pattern, sealed, app) => {
    test('calls, is called, is denied, and is counted', async () => {
      const { path, network } = socketNetwork()
      const bus = await start({ core: await core(), ...app, network })
      const denied = vi.fn<(denied: unknown) => void>()
      bus.on('denied', denied)
      const { client, socket } = await dial(path, { label: 'far', sealed })
      expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
      expect(await client.invoke('body')).toMatchObject({ label: 'far' })
      client.expose({ double: ({ n }: { n: number }) => n * 2 })
      expect(await bus.call('far', 'double', { n: 4 })).toBe(8)
      await expect(client.invoke('throws_odd')).rejects.toMatchObject({ reason: 'Denied' })
      await expect
        .poll(() => denied.mock.calls)
        .toMatchObject([
          [
            {
              label: 'far',
              command: 'throws_odd',
              hint: expect.stringMatching(/^add "allow-throws-odd" to/) as string,
            },
          ],
        ])
      await expect
        .poll(async () => (await bus.stats()).network)
        .toMatchObject({ instance: 'one', total: { sessions: 1, calls: 3, denied: 1, failures: 1, inFlight: 0 } })
      expect((await bus.stats()).frontends).toEqual({})
      socket.destroy()
      await expect
        .poll(async () => (await bus.stats()).network?.total)
        .toMatchObject({ sessions: 0, calls: 3, denied: 1 })
    })
  })
})

test('callAll reaches the frontends of the network too', async () => {
  const { path, network } = socketNetwork()
  const bus = await start({ core: fixture('core.mjs'), capabilities: [everyCommand], network })
  const { client } = await dial(path, { label: 'far', sealed: false })
  const near = await bus.connect('near')
  for (const each of [client, near]) each.expose({ name: () => each.label })
  await client.invoke('greet', { name: 'World' })
  expect(await bus.callAll('name')).toEqual({
    near: { status: 'fulfilled', value: 'near' },
    far: { status: 'fulfilled', value: 'far' },
  })
})
