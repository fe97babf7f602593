// Tests that plugins can do what they are granted and nothing else, and that only a plugin that misbehaves is stopped.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { createPluginHost, type PluginHost, type PluginHostOptions } from './host.js'

const hello = new URL('../plugins/hello/', import.meta.url)
const greedy = new URL('../fixtures/greedy/', import.meta.url)
let host: PluginHost
let notices: string[]
let skipped: string[]
let stopped: Promise<string>

beforeEach(async () => {
  notices = []
  skipped = []
  let onStopped: PluginHostOptions['onStopped'] = () => {}
  stopped = new Promise(resolve => (onStopped = (name, why) => resolve(`${name}: ${why}`)))
  host = await createPluginHost({
    grant: (_name, asked) => asked.filter(permission => permission.startsWith('allow-not')),
    onNotice: (name, text) => notices.push(`${name}: ${text}`),
    onStopped: (name, why) => onStopped(name, why),
    onSkipped: (directory, why) => skipped.push(`${directory}: ${why}`),
  })
})
afterEach(() => host.close())

test('a plugin answers, and can call a command that it is granted', async () => {
  await host.install(hello)
  assert.equal(await host.call('hello', 'greet', { name: 'test' }), 'Hello, test!')
  assert.deepEqual(notices, ['hello: greeting test'])
})

test('grants, the hook and the sandbox each reject calls of a plugin', async () => {
  await host.install(greedy)
  assert.equal(await host.call('greedy', 'attempt'), 'done, Rejected, Denied, ERR_ACCESS_DENIED')
  assert.deepEqual(notices, ['greedy: may'])
})

test('a plugin with an invalid manifest or grant is skipped, and the others are installed', async () => {
  await host.installAll(new URL('../fixtures/several/', import.meta.url))
  skipped.sort()
  assert.equal(skipped.length, 3)
  assert.match(skipped[0]!, /^bad-json: .*JSON/)
  assert.match(skipped[1]!, /^misspelt-grant: .*allow-notfy/)
  assert.match(skipped[2]!, /^no-manifest: .*ENOENT/)
  assert.equal(await host.call('well', 'greet'), 'Hello!')
})

for (const [command, why, timeout] of [
  ['crash', /on purpose/],
  ['spin', /does not answer/, 500],
] as const)
  test(`stops only the plugin that misbehaves: ${command}`, async () => {
    await host.install(hello)
    await host.install(greedy)
    await host.call('greedy', command, {}, timeout).catch(() => {})
    assert.match(await stopped, why)
    await assert.rejects(host.call('greedy', 'attempt'), /no plugin greedy/)
    assert.equal(await host.call('hello', 'greet', { name: 'test' }), 'Hello, test!')
  })
