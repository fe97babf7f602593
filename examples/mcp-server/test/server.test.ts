// The server as a child process, with the SDK's own client: bad plugins, the standard output, and the end.
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'

const args = [`${import.meta.dirname}/../server.js`, `${import.meta.dirname}/plugins.json`]
const client = new Client({ name: 'test', version: '1.0.0' })
let stderr = ''

beforeAll(async () => {
  const transport = new StdioClientTransport({ command: process.execPath, args, stderr: 'pipe' })
  transport.stderr?.on('data', chunk => (stderr += chunk))
  await client.connect(transport)
})
afterAll(() => client.close())

const call = async (name: string, options = {}) => {
  const { content, isError = false } = await client.callTool({ name, arguments: {} }, options)
  return [isError, (content as { text: string }[])[0]?.text]
}

test('the tools of plugins that start are listed, and the others are reported on standard error', async () => {
  const { tools } = await client.listTools()
  expect(new Set(tools.map(({ name }) => name.split('__')[0]))).toEqual(
    new Set(['good', 'bad', 'exits', 'crashes', 'hoards', 'spins']),
  )
  expect(tools).toContainEqual({ name: 'good__list', inputSchema: { type: 'object' } })
  await expect.poll(() => stderr).toContain('[broken] was left out: born dead')
  await expect.poll(() => stderr).toContain('[lies] was left out: its tools are not as MCP describes them')
})

test('a tool calls the commands that its plugin can call', async () => {
  expect(await call('good__list')).toEqual([false, '["door","keys"]'])
})

test('a tool that fails is a tool error with the reason, and its plugin keeps running', () =>
  rows([
    ['throws', 'CommandFailed: not today'],
    ['never', 'Timeout: '],
    [
      'denied',
      'Denied: Command delete_note not allowed by ACL: add "delete_note" to the option "allow" of the frontend',
    ],
    ['cyclic', 'InternalError: The result of command "cyclic" cannot be serialized'],
  ])(async (name, reason) => {
    expect(await call(`bad__${name}`)).toEqual([true, expect.stringContaining(reason)])
    expect(await call('bad__fine')).toEqual([false, 'fine'])
  }))

test('a plugin that ends gives a tool error with the reason, and restarts', { timeout: 240_000 }, () =>
  rows({
    exits: 'Disconnected: The frontend "exits" disconnected: it exited unexpectedly',
    crashes: 'Disconnected: The frontend "crashes" disconnected: it failed: a bug',
    hoards: 'Disconnected: The frontend "hoards" disconnected: it ',
    // The deadline or the heartbeat ends it, whichever is first.
    spins: '"spins"',
  })(async (reason, name) => {
    expect(await call(`${name}__${name}`)).toEqual([true, expect.stringContaining(reason)])
    expect(await call('good__list')).toEqual([false, '["door","keys"]'])
    await expect.poll(() => call(`${name}__fine`)).toEqual([false, 'fine'])
  }),
)

test('a call that the client cancels ends', async () => {
  const cancel = new AbortController()
  const called = call('bad__never', { signal: cancel.signal })
  cancel.abort()
  await expect(called).rejects.toThrow('abort')
})

test('an unknown tool is an error of the protocol', async () => {
  await expect(call('bad__none')).rejects.toThrow('Unknown tool: bad__none')
})

test('only MCP goes to standard output, and the server ends with its standard input', async () => {
  const server = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const exit = once(server, 'exit')
  const [output, log] = [text(server.stdout), text(server.stderr)]
  const send = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const clientInfo = { name: 'raw', version: '1.0.0' }
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } })
  await once(server.stdout, 'data')
  send({ method: 'notifications/initialized' })
  send({ id: 2, method: 'tools/call', params: { name: 'bad__prints', arguments: {} } })
  await once(server.stdout, 'data')
  server.stdin.end()

  expect(await exit).toEqual([0, null])
  const messages = (await output)
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(messages).toMatchObject([{ id: 1 }, { id: 2, result: { content: [{ text: 'printed' }] } }])
  expect((await log).match(/by .+/g)?.toSorted()).toEqual(['by console.log', 'by process.stdout'])
})
