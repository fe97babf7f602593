// Processes whose relays share a thread, while one of them is busy or floods.
import { expect, test } from 'vitest'
import { getPids, openProcesses } from '../../support/shared-relay.js'
import { watch } from '../../support/shared-threads.js'
import { start } from '../../support/start.js'

const POLL = { timeout: 20_000 }

test('a process that blocks restarts alone', async () => {
  const bus = await start({ supervision: { heartbeat: 2000 } })
  const { pids } = await openProcesses(bus, ['a', 'b'])
  const { faults, restarts } = watch(bus)
  bus.call('a', 'spin').catch(() => {})
  await expect.poll(() => restarts, POLL).toEqual(['a'])
  expect(await getPids(bus, ['b'])).toEqual(pids.slice(1))
  expect(faults).toEqual([expect.stringMatching(/^a: .* blocked its event loop for 2000 ms$/)])
})

test.each(['print', 'call', 'emit'])('a process that floods with %s does not starve the others', async flood => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a', 'b'])
  await bus.call('a', flood)
  for (let i = 0; i < 50; i++) expect(await bus.call('b', 'pid')).toBe(pids[1])
})
