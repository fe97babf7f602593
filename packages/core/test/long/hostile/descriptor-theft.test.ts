// The descriptors of the process: files of the host, and the host's ends of the pipes to frontends in processes of their own.
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { eventually } from '../../support/supervised.js'
import { fixture, start } from '../../support/start.js'

const thief = new URL('descriptor-theft.mjs', import.meta.url)

test('a frontend under the permission model cannot take the pipes of a frontend in a process', async () => {
  const bus = await start()
  await bus.open('thief', thief)
  await bus.open('main', fixture('calls/exposing.mjs'), { sandbox: 'process' })
  await eventually(() => bus.call('main', 'echo', { a: 1 }))
  const outcomes = await eventually(() => bus.call<unknown[]>('thief', 'steal'))
  expect(outcomes.filter(outcome => typeof outcome === 'number')).toEqual([])
  expect(outcomes).toContain('ERR_ACCESS_DENIED')
  expect(await bus.call('main', 'echo', { a: 1 })).toEqual({ a: 1 })
})

test("a frontend under the permission model cannot read the host's files through http2", async () => {
  const bus = await start()
  await bus.open('thief', thief)
  const fd = openSync(fileURLToPath(import.meta.url), 'r')
  expect(await bus.call('thief', 'read', { fd })).toEqual(Array(3).fill('ERR_ACCESS_DENIED'))
  closeSync(fd)
})

test('a frontend under the permission model serves its own files through http2, until it closes them', async () => {
  const bus = await start()
  await bus.open('main', thief)
  const content = readFileSync(thief, 'utf8')
  expect(await bus.call('main', 'readOwn')).toEqual({ responses: [content, content], code: 'ERR_ACCESS_DENIED' })
})
