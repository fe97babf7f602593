// Functions that frontends expose, as tools.
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import type { Bus } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { expect, test, vi } from 'vitest'
import { addFunctions, serveMcp } from '../src/index.js'
import { startBus } from './start.js'
import { rows } from '../../../scripts/testing.js'

const images = { module: new URL('fixtures/images.mjs', import.meta.url), sandbox: 'none' } as const
const describes = new URL('fixtures/describes.mjs', import.meta.url)

async function connect(bus: Bus): Promise<Client> {
  const [transport, own] = InMemoryTransport.createLinkedPair()
  await serveMcp(bus, { label: 'agent', allow: ['images:default'], transport })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(own)
  return client
}

test('functions that a frontend describes are tools, and no others', async () => {
  const bus = await startBus({ frontends: { images } })
  await addFunctions(bus, 'images')
  const { tools } = await (await connect(bus)).listTools()
  expect(tools.map(({ name }) => name)).toEqual(['images__fails', 'images__letters', 'images__shout'])
  expect(tools[2]).toMatchObject({
    description: 'Returns the text in capitals',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  })
})

test('a function answers a tool call with its result, its values, or its message alone', async () => {
  const bus = await startBus({ frontends: { images } })
  await addFunctions(bus, 'images')
  const client = await connect(bus)
  const call = (name: string, text = 'ab') => client.callTool({ name: `images__${name}`, arguments: { text } })
  expect((await call('shout')).content).toEqual([{ type: 'text', text: 'AB' }])
  expect((await call('letters')).content).toEqual(['a', 'b'].map(text => ({ type: 'text', text })))
  const failed = await call('fails')
  expect(failed).toMatchObject({ isError: true })
  expect(JSON.stringify(failed)).toContain('No picture')
  expect(JSON.stringify(failed)).not.toContain('images.mjs')
})

test('tools of a frontend that is gone fail, and removePlugin takes them back', async () => {
  const bus = await startBus({ frontends: { images } })
  await addFunctions(bus, 'images')
  const client = await connect(bus)
  await bus.closeFrontend('images')
  expect(await client.callTool({ name: 'images__shout', arguments: { text: 'ab' } })).toMatchObject({ isError: true })
  await bus.removePlugin('images')
  await expect.poll(async () => (await client.listTools()).tools).toEqual([])
})

test('the second function with a permission is not added, a warning names both, and a name of the bus is refused', async () => {
  const data = { read_note: {}, 'read-note': {}, other: {} }
  const bus = await startBus({ frontends: { p: { module: describes, sandbox: 'none', data } } })
  const warn = vi.spyOn(getLog(bus), 'warn')
  await addFunctions(bus, 'p')
  await bus.connect('agent', { allow: ['p:default'] })
  expect((await bus.describe('agent')).map(({ command }) => command)).toEqual(['plugin:p|other', 'plugin:p|read_note'])
  expect(warn.mock.lastCall?.[0]).toMatch(/^Functions of the frontend "p" were not served: "read-note".*"read_note"/)
  for (const name of ['host', 'acl', 'core', 'event']) {
    await expect(addFunctions(bus, 'p', { name })).rejects.toThrow(`plugin uses reserved name: ${name}`)
    await expect(addFunctions(bus, 'p', { nmae: 'x' } as object)).rejects.toThrow('addFunctions: unknown option "nmae"')
  }
})

test('descriptions of another form are refused', () =>
  rows([
    [null, 'must return { name: { description, args } }'],
    [{ f: 1 }, 'must return an object for "f"'],
    [{ f: { description: 1 } }, 'gave f no text'],
    [{ f: { args: { type: 'string' } } }, 'must give f args with the type "object"'],
    [{ f: { description: 'a'.repeat(300_000) } }, 'returned more than 262144 characters'],
    [Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}`, {}])), 'named more than 200 functions'],
    [{ 'f|g': {} }, 'name'],
  ])(async (data, why) => {
    const bus = await startBus({ frontends: { p: { module: describes, sandbox: 'none', data } } })
    await expect(addFunctions(bus, 'p')).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(why) as unknown,
    })
  }))
