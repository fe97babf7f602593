// Processes that are shared, or were spares: what is stopped goes on, and what hangs restarts in another one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { getFrontendPids } from '../../support/processes.js'
import { start } from '../../support/start.js'

/** Lets time pass for others: what is tried is real time. */
const pass = (seconds: number): Promise<unknown> => promisify(execFile)('sleep', [String(seconds)])
const count = `let count = 0; sallyport.expose({ count: () => ++count })`
const spin = `import { expose } from '@sallyport/frontend'; expose({ spin: () => { for (;;); } })`

test.runIf(process.platform === 'linux')('scripts of a process that was stopped go on, and none restarts', async () => {
  const bus = await start()
  const supervision = { restart: 'transient', heartbeat: 1000 } as const
  const sandbox = { kind: 'quickjs', process: true, wall: 'none', perProcess: 100 } as const
  const labels = ['a', 'b']
  for (const label of labels) await bus.open(label, { source: count }, { sandbox, supervision })
  const increment = (label: string): Promise<unknown> => bus.call(label, 'count')
  expect(await Promise.all(labels.map(increment))).toEqual([1, 1])
  const [pid] = getFrontendPids()
  process.kill(pid!, 'SIGSTOP')
  const counting = labels.map(increment)
  await pass(5)
  process.kill(pid!, 'SIGCONT')
  expect(await Promise.all(counting)).toEqual([2, 2])
  expect(getFrontendPids()).toEqual([pid])
})

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
