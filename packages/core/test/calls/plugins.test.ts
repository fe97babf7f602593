// Plugins: their configuration and their end, and the errors that fail the start.
import { expect, test } from 'vitest'
import { fixture, next, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const core = fixture('features.mjs')
const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

test('a plugin gets its name and its part of the configuration', async () => {
  const bus = await start({ core, config: { plugins: { files: { root: '/tmp' }, other: 1 } } })
  const setup = next(bus, 'setup')
  await bus.emit('get-setup')
  expect(await setup).toEqual({ name: 'files', config: { root: '/tmp' } })
})

test('a setup that fails fails the start, and its plugin is named', async () => {
  const options = { core, config: { plugins: { files: { fails: true } } } }
  await expect(start(options)).rejects.toMatchObject({
    message: 'failed to initialize plugin `files`: no such disk',
  })
})

test('teardowns run in reverse when the bus closes; one that throws is logged', async () => {
  const lines: string[] = []
  const { pino } = await import('pino')
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  const bus = await start({ core, log })
  const torn: unknown[] = []
  await bus.listen('torn-down', ({ payload }) => void torn.push(payload))
  await bus.close()
  expect(torn).toEqual(['core', 'files'])
  expect(lines.join()).toContain('in teardown')
})

test("a core's own window commands are allowed by Tauri's permissions for them", async () => {
  const source = 'export default { plugins: [{ name: "window", commands: { title: () => "T", set_title: () => 1 } }] }'
  const bus = await start({
    core: at(source),
    capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['core:window:allow-title'] }],
  })
  const client = await bus.connect('main')
  expect(await client.invoke('plugin:window|title')).toBe('T')
  await expect(client.invoke('plugin:window|set_title')).rejects.toMatchObject({ reason: 'Denied' })
  await expect(client.invoke('plugin:window|get_all_windows')).rejects.toMatchObject({ reason: 'Denied' })
})

test('a start fails with a name of a plugin that is reserved, taken or invalid', () =>
  rows({
    '{ name: "core" }': 'plugin uses reserved name: core',
    '{ name: "path" }': 'plugin uses reserved name: path',
    '{ name: "a" }, { name: "a" }': 'There are two plugins named a. Rename one of them',
    '{ name: "A b" }': `A plugin's name must consist of a-z, 0-9 and "-": got "A b"`,
  })(async (message, plugins) => {
    await expect(start({ core: at(`export default { plugins: [${plugins}] }`) })).rejects.toMatchObject({ message })
  }))
