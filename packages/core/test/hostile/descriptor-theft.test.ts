// Frontends in processes of their own are connected by pipes, whose host's ends are open in the process of all other frontends.
import { expect, test } from 'vitest'
import { eventually } from '../supervised.js'
import { fixture, start } from '../start.js'

test('a frontend under the permission model cannot take the pipes of a frontend in a process', async () => {
  const bus = await start()
  await bus.open('thief', new URL('descriptor-theft.mjs', import.meta.url))
  await bus.open('main', fixture('exposing.mjs'), { sandbox: 'process' })
  await eventually(() => bus.call('main', 'echo', { a: 1 }))
  const outcomes = await eventually(() => bus.call<unknown[]>('thief', 'steal'))
  expect(outcomes.filter(outcome => typeof outcome === 'number')).toEqual([])
  expect(outcomes).toContain('ERR_ACCESS_DENIED')
  expect(await bus.call('main', 'echo', { a: 1 })).toEqual({ a: 1 })
})
