// A foreign MCP server can send any message: its depth, its width, its types and its order are generated. The program is faked, so that hundreds of
// servers run in this process, where an error that nobody catches is seen.
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { PassThrough } from 'node:stream'
import type { Program } from '@sallyport/core/launchers'
import { type Bus, BusError, createBus, defineCore } from '@sallyport/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type McpServer, openMcp } from '../src/index.js'
import { ProgramTransport } from '../src/open/program-transport.js'

let isReading = true
let serve: (message: { id?: unknown; method: string }, write: (line: string) => void) => void
vi.mock('@sallyport/core/launchers', async importOriginal => ({
  ...(await importOriginal<object>()),
  startProgram: (): Program => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    let kill = (): void => {}
    const exited = new Promise<never>(resolve => {
      kill = () => resolve({ code: null, signal: 'SIGKILL' } as never)
    })
    const read = (line: string): void => serve(JSON.parse(line), text => void stdout.write(`${text}\n`))
    if (isReading) createInterface({ input: stdin }).on('line', read)
    return { pid: 0, isWalled: true, stdin, stdout, stderr, exited, kill: () => kill() }
  },
}))

let bus: Bus
beforeAll(async () => {
  bus = await createBus({ core: defineCore({ commands: { ping: () => 'pong' } }), log: false })
})
afterAll(() => bus.close({ timeout: 0 }))

const leaf = fc.constantFrom(
  '1',
  '-0',
  '1e999',
  '""',
  String.raw`"\ud800"`,
  'null',
  '{"__proto__":{"a":1}}',
  '{"then":1}',
  '[]',
)
const depth = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 40, max: 70 }), fc.constantFrom(5000, 20_000))
const shape = fc
  .record({ depth, leaf, width: fc.constantFrom(1, 3, 1000), isArray: fc.boolean() })
  .map(({ depth: levels, leaf: inner, width, isArray }) => {
    const text = isArray ? `[${'[],'.repeat(width)}${inner}]` : `{"a":${inner}${',"b":0'.repeat(width)}}`
    return '{"properties":'.repeat(levels) + text + '}'.repeat(levels)
  })
const id = fc.constantFrom('0', '1', '3', '99', '"x"', 'null', '{}')
const method = fc.constantFrom(
  ...[
    'notifications/tools/list_changed',
    'notifications/progress',
    'notifications/cancelled',
    'ping',
    'roots/list',
    'x',
  ],
  ...['sampling/createMessage', '__proto__'],
)
const message = fc.oneof(
  shape,
  fc.tuple(id, shape).map(([number, value]) => `{"jsonrpc":"2.0","id":${number},"result":${value}}`),
  fc
    .tuple(id, shape)
    .map(([number, value]) => `{"jsonrpc":"2.0","id":${number},"error":{"code":1,"message":"m","data":${value}}}`),
  fc.tuple(method, shape).map(([name, value]) => `{"jsonrpc":"2.0","method":"${name}","params":${value}}`),
  fc
    .tuple(id, method, shape)
    .map(([number, name, value]) => `{"jsonrpc":"2.0","id":${number},"method":"${name}","params":${value}}`),
)
const names = fc.constantFrom(
  'a',
  'a_b',
  'a-b',
  '__proto__',
  'constructor',
  'then',
  'Create Share',
  'files/read',
  '',
  '\u202e',
  'x'.repeat(200),
)
const tools = fc.array(fc.record({ name: fc.oneof(names, fc.string()), member: shape }), { maxLength: 5 })

type Answer = (id: unknown, write: (line: string) => void) => void

const toResult = (id: unknown, result: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`

/** Lets the next server begin as any other, and then list and call its tools as it likes. */
function setServer(list: (write: Parameters<Answer>) => void, call: Answer = () => {}): void {
  const info = '"serverInfo":{"name":"s","version":"1"}'
  serve = ({ id: number, method: asked }, write) => {
    if (asked === 'initialize') {
      write(toResult(number, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},${info}}`))
    } else if (asked === 'tools/list') list([number, write])
    else if (asked === 'tools/call') call(number, write)
    else if (number !== undefined) {
      write(`{"jsonrpc":"2.0","id":${JSON.stringify(number)},"error":{"code":-32601,"message":"none"}}`)
    }
  }
}

const open = (): Promise<McpServer> =>
  openMcp(bus, 's', { command: 'x' }, { home: tmpdir(), restarts: { next: () => undefined } })

const toTool = (name: string, member: string): string =>
  `{"name":${JSON.stringify(name)},"inputSchema":{"type":"object","x":${member}}}`

test('no message of a server is an uncaught error, and a tool costs itself alone', async () => {
  vi.spyOn(process, 'emitWarning').mockReturnValue()
  const run = async (listed: { name: string; member: string }[], messages: string[], later: string): Promise<void> => {
    let texts = [...listed.map(({ name, member }) => toTool(name, member)), toTool('good', '{}')]
    setServer(
      ([number, write]) => write(toResult(number, `{"tools":[${texts.join()}]}`)),
      (number, write) => {
        texts = [toTool('good', later)]
        for (const text of messages) write(text)
        write(toResult(number, '{"content":[]}'))
      },
    )
    const server = await open().catch((error: BusError) => error)
    if (server instanceof Error) {
      const text = expect.stringContaining('The MCP server "s" did not start: it sent a message beyond the limits')
      expect(server).toMatchObject({ reason: 'LoadFailed', message: text })
      return
    }
    const client = await bus.connect('agent', { allow: ['s:default', 'ping'] })
    try {
      const described = (await bus.describe('agent')).filter(({ command }) => command !== 'ping')
      const commands = described.map(({ command }) => command)
      const unserved = server.changes.map(({ tool }) => tool)
      for (const { name } of listed) expect(commands.includes(`plugin:s|${name}`)).toBe(!unserved.includes(name))
      expect(new Set(described.map(({ permission }) => permission)).size).toBe(commands.length)
      const result = await client.invoke('plugin:s|good').catch((error: unknown) => error)
      if (result instanceof Error) expect(result).toBeInstanceOf(BusError)
      else expect(result).toEqual({ content: [] })
      expect(await client.invoke('ping')).toBe('pong')
    } finally {
      await server.close()
      await client.close()
    }
  }
  const property = fc.asyncProperty(tools, fc.array(message, { maxLength: 6 }), shape, run)
  await fc.assert(property, { seed: 58, numRuns: 200 })
}, 120_000)

test('a list of tools is bounded in tools, characters and pages', async () => {
  const lists = [
    [Array.from({ length: 1001 }, (_, at) => toTool(`t${at}`, '1')), 'it has more than 1000 tools'],
    [[toTool('a', `"${'x'.repeat(2 ** 21)}"`)], 'it describes its tools in more than 2097152 characters'],
    [[], 'it lists its tools in more than 64 pages'],
  ] as const
  for (const [texts, why] of lists) {
    setServer(([number, write]) => write(toResult(number, `{"tools":[${texts.join()}],"nextCursor":"more"}`)))
    await expect(open()).rejects.toThrow(`The MCP server "s" did not start: ${why}`)
  }
})

test('tools that share a permission are not served, and the host is told of both', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  const texts = ['read-note', 'read_note', 'files/read', 'good'].map(name => toTool(name, '1'))
  setServer(([number, write]) => write(toResult(number, `{"tools":[${texts.join()}]}`)))
  await using server = await open()
  const share = (other: string): string => `it shares the permission "s:allow-read-note" with "${other}"`
  expect(server.changes).toEqual([
    { tool: 'read-note', change: 'unserved', reason: share('read_note') },
    { tool: 'read_note', change: 'unserved', reason: share('read-note') },
    { tool: 'files/read', change: 'unserved', reason: expect.stringContaining('its name') },
  ])
  for (const name of ['"read_note"', '"read-note"', '"files/read"']) expect(warn.mock.lastCall?.[0]).toContain(name)
  const client = await bus.connect('reader', { allow: ['s:default'] })
  await expect(client.invoke('plugin:s|files/read')).rejects.toThrow('Command files/read of plugin s not found')
  await client.close()
})

test('no schema of a server runs in the host: a result is passed on as it is, whatever its pattern costs', async () => {
  const outputSchema = '{"type":"object","properties":{"a":{"type":"string","pattern":"^(a+)+$"}}}'
  const tool = `{"name":"good","inputSchema":{"type":"object"},"outputSchema":${outputSchema}}`
  const result = { content: [], structuredContent: { a: `${'a'.repeat(30)}!` } }
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${tool}]}`)),
    (number, write) => write(toResult(number, JSON.stringify(result))),
  )
  await using server = await open()
  const client = await bus.connect('patient', { allow: [`${server.name}:default`] })
  expect(await client.invoke('plugin:s|good')).toEqual(result)
  await client.close()
})

test('a server that does not read what it is sent is ended', async () => {
  isReading = false
  onTestFinished(() => void (isReading = true))
  const transport = new ProgramTransport({ program: {} as never, maxMessage: 50_000, onStderr: undefined })
  await transport.start()
  const answer = (id: number): Promise<void> =>
    transport.send({ jsonrpc: '2.0', id, result: { text: 'x'.repeat(60_000) } })
  await Promise.all([1, 2].map(answer))
  expect(await transport.ended).toBe('it does not read what it is sent')
})
