// What `bus.onTransition` shows of a running bus.
import { expect, test } from 'vitest'
import { type BusTransition, defineCore } from '../../src/index.js'
import { openExternalFrontend } from '../../src/internal.js'
import { start } from '../support/start.js'

test('bus.onTransition shows the life of everything that starts: runs, connections and pages too', async () => {
  const bus = await start({ core: defineCore({}) })
  const last = new Map<string, BusTransition['snapshot']>()
  const roots = new Set<string>()
  bus.onTransition(({ rootId, actorRef, snapshot }) => {
    roots.add(rootId)
    if (snapshot) last.set(actorRef.id, snapshot)
  })
  await bus.run('return 1')
  await bus.run('return 1', { sandbox: 'permission' })
  const client = await bus.connect('connection')
  const page = await openExternalFrontend(bus, 'a test', 'page', {})
  await bus.open('plugin', new URL('data:text/javascript,'), { sandbox: 'none' })
  await Promise.all([client.close(), page.close(), bus.closeFrontend('plugin')])
  await bus.close()
  const lives = Array.from(last, ([id, snapshot]) => `${id}: ${snapshot!.status}`.replace(/ #\d+/, ''))
  expect(lives.sort()).toEqual([
    'bus: done',
    'core: done',
    'frontend "connection": done',
    'frontend "page": done',
    'frontend "plugin": done',
    'frontend "run-1": done',
    'frontend "run-2": done',
  ])
  expect(roots.size).toBe(1)
})
