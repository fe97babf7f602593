// The AsyncLocalStorage of a service: what the host runs for a caller finds the caller's store, and nothing finds that of whoever opened the bus.
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { type Bus, type Channel, defineCore } from '../../src/index.js'
import { start } from '../support/start.js'

const user = new AsyncLocalStorage<string>()
const who = (): string => user.getStore() ?? 'nobody'

const core = defineCore({
  commands: {
    who,
    async *names() {
      yield who()
      await new Promise(setImmediate)
      yield who()
    },
    async tell({ channel }: { channel: Channel<string> }) {
      await channel.send('hello')
    },
    emits: (_: object, ctx) => ctx.app.emit('said', who()),
  },
})
const open = (): Promise<Bus> => user.run('A', () => start({ core, frontends: {} }))

test('functions and output of a run belong to whoever runs it', async () => {
  const bus = await open()
  const printed: string[] = []
  const run = (): Promise<unknown> =>
    bus.run('console.log(1); return [await h.who({}), await h.later({})]', {
      functions: { h: { who, later: async () => (await new Promise(setImmediate), who()) } },
      onStdio: () => void printed.push(who()),
    })
  expect(await user.run('B', run)).toEqual(['B', 'B'])
  expect(await user.run('C', run)).toEqual(['C', 'C'])
  expect(await run()).toEqual(['nobody', 'nobody'])
  expect(printed).toEqual(['B', 'C', 'nobody'])
})

test('commands of a core in this thread belong to nobody', async () => {
  const bus = await open()
  const client = await user.run('A', () => bus.connect('tests', { allow: '*' }))
  const ask = async (): Promise<unknown[]> => {
    const all = await Promise.all([...Array(50)].map(() => client.invoke('who')))
    for await (const name of client.stream('names')) all.push(name)
    return [...new Set(all)]
  }
  const asked = await Promise.all([user.run('B', ask), user.run('C', ask)])
  expect(asked).toEqual([['nobody'], ['nobody']])
})

test('a channel and a listener belong to whoever has made them', async () => {
  const bus = await open()
  const client = await bus.connect('tests', { allow: '*' })
  const heard: string[] = []
  await user.run('B', async () => {
    const heardAll = new Promise<void>(resolve => {
      const channel = new client.Channel<string>(() => (heard.push(who()), resolve()))
      void client.invoke('tell', { channel })
    })
    await client.listen('said', () => void heard.push(who()))
    await heardAll
  })
  await user.run('C', async () => {
    await client.invoke('emits')
    await expect.poll(() => heard).toEqual(['B', 'B'])
  })
})
