// A gate is terminated while its hook does not return: core learns that all links through it have ended, not only the latest.
import { expect, test } from 'vitest'
import { fixture, isolation, start } from '../../support/start.js'

test('the calls of an earlier run of a frontend are aborted when its stuck gate is terminated', async () => {
  const main = {
    module: fixture('isolation/stuck-gate.mjs'),
    sandbox: 'none',
    supervision: { restart: 'permanent' },
  } as const
  // oxlint-disable-next-line sallyport/no-real-time -- a hook that really hangs, after some that return
  const bus = await start({ ...isolation('stuck', { hookTimeout: 1000 }), frontends: { main } })
  const client = await bus.connect('tests')
  await expect.poll(() => client.invoke('seen')).toEqual(['began', 'Disconnected'])
})
