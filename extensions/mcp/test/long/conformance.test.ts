// The official conformance tests of MCP. `FAILURES` has the scenarios that fail, and why: one that passes must leave it.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setImmediate as takeTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { type Bus, command, createBus, defineCore } from '@sallyport/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { serveMcp } from '../../src/index.js'
import { makeDirectory } from '../start.js'

const require = createRequire(import.meta.url)
const program = join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js')
const run = promisify(execFile)
const client = fileURLToPath(new URL('../fixtures/conformance-client.mjs', import.meta.url))

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

const ASKING = [
  ...['elicitation', 'request_state', 'tampered_state'].map(name => `test_input_required_result_${name}`),
  ...['test_missing_capability', 'test_streaming_elicitation'],
]
let changes = 0

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
        await takeTurn()
      }
      return 'done'
    },
  ),
  test_x_mcp_header: command(
    { description: 'Has a header', args: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }) },
    ({ region }) => region,
  ),
  ...Object.fromEntries(
    ASKING.map(name => [name, command({ description: 'Asks' }, (_, ctx) => ctx.confirm('Go on?'))]),
  ),
  test_input_required_result_multi_round: command(
    { description: 'Asks twice' },
    async (_, ctx) => (await ctx.confirm('Go on?')) || ctx.confirm('Really?'),
  ),
  test_logging_tool: tool(() => 'logged'),
  test_trigger_tool_change: tool(() => {
    const name = `late-${++changes}`
    void bus.addPlugin({
      name,
      commands: { run: () => name },
      permissions: [{ default: { permissions: ['allow-run'] } }],
    })
    return 'changed'
  }),
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
  bus = await createBus({ core: defineCore({ commands }), log: false, runs: { key: new Uint8Array(32).fill(5) } })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://localhost:${(server.address() as AddressInfo).port}/mcp`
  await serveMcp(bus, { label: 'agent', allow: Object.keys(commands), transport: { server } })
}, 120_000)
afterAll(async () => {
  await bus.close()
  server.closeAllConnections()
  server.close()
})

/**
 * By reason. `@` and a version: only in that one. Not required, and not here, are `tasks-*`, and a root `allOf` in `json-schema-2020-12`, which is served
 * as one object.
 */
const FAILURES: Record<'server' | 'client', Record<string, readonly string[]>> = {
  server: {
    'Commands are tools: there are no resources, prompts and completions': [
      ...['completion-complete', 'resources-list', 'resources-read-text', 'resources-read-binary'],
      ...['resources-templates-read', 'resources-subscribe', 'resources-unsubscribe', 'sep-2164-resource-not-found'],
      ...['prompts-list', 'prompts-get-simple', 'prompts-get-with-args', 'prompts-get-embedded-resource'],
      ...['prompts-get-with-image', 'caching', 'input-required-result-non-tool-request'],
    ],
    'No log messages are sent to clients': ['logging-set-level', 'tools-call-with-logging'],
    'A question is a yes or no, with the name `confirm`: the tools of these scenarios ask for forms': [
      ...['tools-call-elicitation', 'elicitation-sep1034-defaults', 'elicitation-sep1330-enums'],
      ...['input-required-result-basic-elicitation', 'input-required-result-ignore-extra-params'],
    ],
    "No tool asks for the client's model and directories": [
      ...['tools-call-sampling', 'input-required-result-basic-sampling', 'input-required-result-basic-list-roots'],
      ...['input-required-result-multiple-input-requests', 'input-required-result-capability-check'],
      'server-stateless',
    ],
    'There are no sessions, of which it warns': ['server-sse-multiple-streams@2025-11-25'],
  },
  client: {
    'Questions of a server are not answered': ['sep-2322-client-request-state'],
  },
}

/** Runs scenarios. The program itself compares those that fail with a list. */
async function check(mode: 'server' | 'client', version: string, ...args: string[]): Promise<void> {
  const directory = makeDirectory()
  const failures = join(directory, 'failures.yml')
  const entries = Object.values(FAILURES[mode]).flat()
  const names = entries.filter(name => !name.includes('@') || name.endsWith(version)).map(name => name.split('@')[0])
  // JSON is YAML.
  writeFileSync(failures, JSON.stringify({ [mode]: names }))
  // The scenarios of clients run at once, each with a client of its own.
  const options = ['--expected-failures', failures, '-o', directory, '--timeout', '400000']
  const ended = run(node, [program, mode, ...args, ...options], { timeout: 500_000, maxBuffer: 2 ** 26 })
  const { stdout } = await ended.catch((error: Error & { stdout: string }) => error)
  expect(stdout).toMatch(/Baseline check passed/)
}

test.each([
  ['2026-07-28', '--requirements'],
  ['2025-11-25', '--spec-version'],
])(
  'serveMcp passes the scenarios of %s',
  (version, option) => check('server', version, '--url', url, option, version),
  600_000,
)

test('openMcp passes the scenarios of 2026-07-28', () => {
  const command = `${process.execPath} ${client}`
  return check('client', '2026-07-28', '--command', command, '--requirements', '2026-07-28')
}, 600_000)
