// The official conformance tests of MCP against `serveMcp` over HTTP: all scenarios about tools and the transport that need no
// request from the server to the client.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Bus, command, createBus, defineCore } from '@sallyport/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { serveMcp } from '../../src/index.js'

const require = createRequire(import.meta.url)
const program = join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js')
const run = promisify(execFile)

/** Returns a Node.js that the program runs in: it needs version 22. The server runs in this one. */
async function findNode(): Promise<string> {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  const { stdout } = await run('npx', ['--yes', '--package', 'node@24', 'node', '--print', 'process.execPath'])
  return stdout.trim()
}

const image = { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' }
const resource = {
  uri: 'test://embedded-resource',
  mimeType: 'text/plain',
  text: 'This is an embedded resource content.',
}
const text = (value: string) => ({ type: 'text', text: value })
const address = z.object({ street: z.string(), city: z.string() }).meta({ id: 'address' })

/** The scenario `tools-list` wants each tool to have a description. */
const tool = (run: () => unknown) => command({ description: 'A tool of the tests' }, run)

const commands = {
  test_simple_text: tool(() => 'This is a simple text response for testing.'),
  test_image_content: tool(() => ({ content: [image] })),
  test_audio_content: tool(() => ({ content: [{ type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' }] })),
  test_embedded_resource: tool(() => ({ content: [{ type: 'resource', resource }] })),
  test_multiple_content_types: tool(() => ({ content: [text('Multiple:'), image, { type: 'resource', resource }] })),
  test_error_handling: tool(() => {
    throw new Error('This tool intentionally returns an error for testing')
  }),
  test_tool_with_progress: command(
    { description: 'Reports progress', args: z.object({ onProgress: z.any() }) },
    async ({ onProgress }: { onProgress?: { send(value: unknown): Promise<void> } }) => {
      for (const progress of [0, 50, 100]) {
        await onProgress?.send({ progress, total: 100 })
        await sleep(50)
      }
      return 'done'
    },
  ),
  json_schema_2020_12_tool: command(
    { description: 'Tool with JSON Schema 2020-12 features', args: z.strictObject({ name: z.string(), address }) },
    () => null,
  ),
}

const server = createServer()
let url = ''
let node = ''
let bus: Bus
beforeAll(async () => {
  node = await findNode()
  bus = await createBus({ core: defineCore({ commands }), log: false })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://localhost:${(server.address() as AddressInfo).port}/mcp`
  await serveMcp(bus, { label: 'agent', allow: Object.keys(commands), transport: { server } })
}, 120_000)
afterAll(async () => {
  await bus.close()
  server.closeAllConnections()
  server.close()
})

test.each([
  ...['server-initialize', 'ping', 'tools-list', 'tools-call-simple-text', 'tools-call-image', 'tools-call-audio'],
  ...['tools-call-embedded-resource', 'tools-call-mixed-content', 'tools-call-error', 'tools-call-with-progress'],
  ...['json-schema-2020-12', 'server-sse-multiple-streams', 'dns-rebinding-protection'],
])(
  'passes %s',
  async scenario => {
    const args = [program, 'server', '--url', url, '--scenario', scenario]
    const { stdout } = await run(node, args, { timeout: 100_000 })
    expect(stdout).toMatch(/Passed: (\d+)\/\1, 0 failed/)
  },
  120_000,
)
