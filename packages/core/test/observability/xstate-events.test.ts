// Events that a frontend may not send to an actor in core: none of them reaches it.
import { remoteActor } from '@sallyport/frontend/xstate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Bus, Client } from '../../src/index.js'
import { refused, startActors } from '../support/actors.ts'

let bus: Bus
let client: Client

beforeAll(async () => {
  bus = await startActors()
  client = await bus.connect('main')
})
afterAll(() => bus.close())

test.each([
  ['light', { type: 'xstate.stop' }, "xstate's own"],
  ['light', { type: 'xstate.after.3600000.(machine).yellow' }, "xstate's own"],
  ['light', { type: 'NOPE' }, 'no event "NOPE": it takes mouse.*, NEXT, BREAK, OFF'],
  ['light', { type: 'mouses.up' }, 'no event "mouses.up"'],
  ['light', { type: '*' }, 'no event has the type "*"'],
  ['light', { type: 1 }, 'whose `type` is a string'],
  ['light', 'NEXT', 'whose `type` is a string'],
  ['light', null, 'whose `type` is a string'],
  ['light', undefined, 'missing required key event'],
  ['counter', { type: 'ADD', by: 11 }, '`event.by`'],
  ['counter', { type: 'xstate.stop' }, "xstate's own"],
  ['once', { type: 'NEXT' }, 'it takes none'],
])('%s %o: %s', async (name, event, message) => {
  const error = await refused(client.invoke(`plugin:${name}|send`, { event }))
  expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining(message) })
  const actor = await remoteActor('light', { client })
  expect(actor.getSnapshot()).toEqual({ status: 'active', value: 'green', tags: ['go'] })
  actor.stop()
})

test('a subscription without a channel is rejected', async () => {
  const error = await refused(client.invoke('plugin:light|subscribe', { channel: 'none' }))
  expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining('channel') })
})

test('events pass whose type begins a wildcard transition', async () => {
  const actor = await remoteActor('light', { client })
  await actor.send({ type: 'mouse.up.left' })
  await expect.poll(() => actor.getSnapshot()).toMatchObject({ value: 'red' })
})
