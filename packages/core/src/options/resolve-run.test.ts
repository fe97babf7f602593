import { expect, test } from 'vitest'
import { SharedThreads } from '../life/workers/shared-threads.js'
import { resolveRun } from './resolve-run.js'
import type { RunOptions } from './types.js'

const getHeartbeat = async (options: RunOptions): Promise<unknown> => {
  const host = { codec: 'json', calls: { timeout: 1 }, continuations: undefined, threads: new SharedThreads() }
  return (await resolveRun('bus.run', '', options, host as never)).config.supervision.heartbeat
}

test('the timeout of a run takes the place of the heartbeat, but not for a script that its own limit has not ended', async () => {
  expect(await getHeartbeat({ sandbox: 'permission' })).toBe(false)
  expect(await getHeartbeat({})).toBe(10_000)
  expect(await getHeartbeat({ sandbox: { kind: 'quickjs', process: true, wall: 'none' } })).toBe(10_000)
})
