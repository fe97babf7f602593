// Processes that hang and are shared, or were spares: their frontends restart in others.
import { expect, test } from 'vitest'
import { getFrontendPids, isRunning } from '../../support/processes.js'
import { start } from '../../support/start.js'

const count = `let count = 0; sallyport.expose({ count: () => ++count })`
const spin = `import { expose } from '@sallyport/frontend'; expose({ spin: () => { for (;;); } })`

test.runIf(process.platform === 'linux')(
  'a process of scripts that is stopped is ended, and each script restarts in another one',
  { timeout: 400_000 },
  async () => {
    const bus = await start()
    const supervision = { restart: 'transient', heartbeat: 4000, intensity: 20 } as const
    const sandbox = { kind: 'quickjs', process: true, wall: 'none', perProcess: 100 } as const
    for (const label of ['a', 'b']) await bus.open(label, { source: count }, { sandbox, supervision })
    const [pid] = getFrontendPids()
    process.kill(pid!, 'SIGSTOP')
    await expect.poll(() => isRunning(pid!)).toBe(false)
    for (const label of ['a', 'b']) await expect.poll(() => bus.call(label, 'count').catch(() => 0)).toBe(1)
  },
)

test('a frontend that hangs in a spare restarts', async () => {
  const bus = await start()
  const sandbox = { kind: 'process', spares: 1 } as const
  const open = (label: string, supervision = {}) =>
    bus.open(label, { source: spin, name: 'it.js' }, { sandbox, supervision })
  await open('first')
  await expect.poll(async () => (await bus.stats()).spares).toBe(1)
  await open('second', { heartbeat: 1000 })
  const restarted = new Promise(resolve => bus.on('restart', ({ label }) => resolve(label)))
  await expect(bus.call('second', 'spin')).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(await restarted).toBe('second')
})
