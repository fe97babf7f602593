// Tests that plugins can do what they are granted and nothing else, and that only a plugin that misbehaves is stopped.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { createPluginHost, type PluginHost, type PluginHostOptions } from './host.js'

const hello = new URL('../plugins/hello/', import.meta.url)
const greedy = new URL('../fixtures/greedy/', import.meta.url)
let host: PluginHost
let notices: string[]
let stopped: Promise<string>

async function open(places: Pick<PluginHostOptions, 'directory' | 'packages'>): Promise<void> {
  notices = []
  let onStopped: PluginHostOptions['onStopped'] = () => {}
  stopped = new Promise(resolve => (onStopped = (label, why) => resolve(`${label}: ${why}`)))
  host = await createPluginHost({
    ...places,
    ask: ({ permissions }) => ({ permissions: permissions.filter(permission => String(permission).startsWith('not')) }),
    onNotice: (label, text) => notices.push(`${label}: ${text}`),
    onStopped: (label, why) => onStopped(label, why),
  })
}
afterEach(() => host.close())

test('a plugin answers, and can call a command that it is granted', async () => {
  await open({ packages: [hello] })
  assert.equal(await host.call('hello', 'greet', { name: 'test' }), 'Hello, test!')
  assert.deepEqual(notices, ['hello: greeting test'])
})

test('grants, the hook and the sandbox each reject calls of a plugin', async () => {
  await open({ packages: [greedy] })
  assert.equal(await host.call('greedy', 'attempt'), 'done, Rejected, Denied, ERR_ACCESS_DENIED')
  assert.deepEqual(notices, ['greedy: may'])
})

test('a plugin with an invalid manifest or permission does not run, and the others do', async () => {
  await open({ directory: new URL('../fixtures/several/', import.meta.url) })
  const [json, misspelt, none, well] = host.plugins.list()
  assert.match(json!.error!.message, /bad-json.*JSON/)
  assert.match(misspelt!.error!.message, /notfy/)
  assert.match(none!.error!.message, /no-manifest.*package\.json/)
  assert.equal(well!.state, 'running')
  assert.equal(await host.call('well', 'greet'), 'Hello!')
})

for (const [command, why, timeout] of [
  ['crash', /on purpose/],
  ['spin', /does not answer/, 500],
] as const)
  test(`stops only the plugin that misbehaves: ${command}`, async () => {
    await open({ packages: [hello, greedy] })
    await host.call('greedy', command, {}, timeout).catch(() => {})
    assert.match(await stopped, why)
    await assert.rejects(host.call('greedy', 'attempt'), /"greedy"/)
    assert.equal(await host.call('hello', 'greet', { name: 'test' }), 'Hello, test!')
  })
