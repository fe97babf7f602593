// A link that core refuses: the caller that waits for it gets the error, and core goes on.
import { MessagePort, Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import { createTestBus } from '../../../src/testing.js'
import { fixture, isolation, start } from '../../support/start.js'

type Post = Worker['postMessage'] & MessagePort['postMessage']

/** Damages the ring on the way to core: in a worker, or behind a port in this thread. */
beforeEach(() => {
  for (const prototype of [Worker.prototype, MessagePort.prototype]) {
    const post = prototype.postMessage as Post
    vi.spyOn(prototype, 'postMessage').mockImplementation(function (this: Worker, message, transfer) {
      const { label, endpoint } = message?.offer ?? {}
      if (label === 'refused') endpoint.in = new SharedArrayBuffer(8)
      post.call(this, message, transfer as [])
    })
  }
})
afterEach(() => void vi.restoreAllMocks())

const refusal = { reason: 'InvalidRequest', message: 'The peer violated the ring protocol: invalid ring memory' }
const module = fixture('supervision/loading.mjs')
const greet = { identifier: 'greet', windows: ['*'], permissions: ['allow-greet'] }
const cores = [
  ['in a worker', fixture('core.mjs')],
  ['in this thread', { commands: { greet: () => 'Hello!' } }],
] as const

const apps = choose([
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, greet)],
] as const)

test.each(apps)(
  'a link that core refuses rejects createBus, connect and open, and no other frontend notices: %s',
  (_pattern, app) =>
    rows(cores)(async (_place, core) => {
      await expect(start({ core, ...app, frontends: { refused: module } })).rejects.toMatchObject(refusal)
      const bus = await start({ core, ...app })
      const client = await bus.connect('other')
      const restarts: unknown[] = []
      bus.on('restart', event => restarts.push(event))
      await expect(bus.connect('refused')).rejects.toMatchObject(refusal)
      await expect(bus.open('refused', module)).rejects.toMatchObject(refusal)
      expect(await client.invoke('greet', { name: 'World' })).toMatch('Hello')
      expect([Object.keys((await bus.stats()).frontends), restarts]).toEqual([['other'], []])
    }),
)

test('a link that core refuses rejects createTestBus', async () => {
  await expect(createTestBus({ label: 'refused' })).rejects.toMatchObject(refusal)
})
