// @vitest-environment-options { "alone": "hostile-shapes" }
// A foreign MCP server can send any message: its depth, its width, its types and its order are generated. The program is faked, so that hundreds of
// servers run in this process, where an error that nobody catches is seen.
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { PassThrough } from 'node:stream'
import type { Program } from '@sallyport/core/launchers'
import { type Bus, BusError, createBus, defineCore } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { Channel } from '@sallyport/frontend'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type McpServer, openMcp } from '../src/index.js'
import { rows } from '../../../scripts/testing.js'
import { ProgramTransport } from '../src/open/program-transport.js'

let isReading = true
let lastStdin: PassThrough
type Message = { id?: unknown; method: string; params?: Record<string, unknown> }
let serve: (message: Message, write: (line: string) => void) => void
vi.mock('@sallyport/core/launchers', async importOriginal => ({
  ...(await importOriginal<object>()),
  startProgram: (): Program => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    lastStdin = stdin
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

type Answer = (id: unknown, write: (line: string) => void, params: Record<string, unknown>) => void

const toResult = (id: unknown, result: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`

/** Lets the next server begin as any other, and then list and call its tools as it likes. */
function setServer(list: (write: [unknown, (line: string) => void]) => void, call: Answer = () => {}): void {
  const info = '"serverInfo":{"name":"s","version":"1"}'
  serve = ({ id: number, method: asked, params = {} }, write) => {
    if (asked === 'initialize') {
      write(toResult(number, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},${info}}`))
    } else if (asked === 'tools/list') list([number, write])
    else if (asked === 'tools/call') call(number, write, params)
    else if (number !== undefined) {
      write(`{"jsonrpc":"2.0","id":${JSON.stringify(number)},"error":{"code":-32601,"message":"none"}}`)
    }
  }
}

const open = (): Promise<McpServer> =>
  openMcp(bus, 's', { command: 'x' }, { home: tmpdir(), restarts: { intensity: 0 } })

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
      const served = [...listed.map(({ name }) => name), 'good'].filter(name => !unserved.includes(name))
      const toCommand = (name: string): string => `plugin:s|${name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`
      expect(new Set(commands)).toEqual(new Set(served.map(toCommand)))
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

test('what servers write otherwise than MCP has it is understood: null for what is absent, byte order marks, batches', () =>
  rows<(line: string) => string>({
    'null in a result': line =>
      line.replace('"result":{', '"method":null,"error":null,"result":{"_meta":null,"nextCursor":null,'),
    'null in what a server can do': line => line.replace('"tools":{"l', '"prompts":null,"tools":{"other":null,"l'),
    'null in its name': line => line.replace('"serverInfo":{', '"instructions":null,"serverInfo":{"title":null,'),
    'a mark before each line': line => `\u{feff}${line}`,
    'a batch': line => `[${line}]`,
    'a batch of two': line =>
      `[${line},{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}]`,
  })(async change => {
    const result = '{"content":[],"structuredContent":{"a":null}}'
    setServer(
      ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
      (number, write) => write(toResult(number, result)),
    )
    const plain = serve
    serve = (message, write) => plain(message, line => write(change(line)))
    await using _ = await open()
    const client = await bus.connect('reader', { allow: ['s:default'] })
    expect(await client.invoke('plugin:s|good')).toMatchObject(JSON.parse(result) as object)
    await client.close()
  }))

test('an answer that is no response ends its call at once, and says that the tool ran', async () => {
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
    (number, write) => write(toResult(number, '1')),
  )
  await using _ = await open()
  const client = await bus.connect('reader', { allow: ['s:default'] })
  await expect(client.invoke('plugin:s|good')).rejects.toMatchObject({
    commandCode: 'TOOL_FAILED',
    message: expect.stringContaining('it ran, but its answer is no response of JSON-RPC') as string,
  })
  await client.close()
})

test('a pattern of "tools" matches the whole name, and no name occupies the host', async () => {
  const names = ['gd', 'good', 'goods', 'aba', 'abba', 'exact', 'exactly', '.x', 'yx', 'a'.repeat(100_000)]
  setServer(([number, write]) => write(toResult(number, `{"tools":[${names.map(name => toTool(name, '{}')).join()}]}`)))
  const tools = ['g*d', 'ab*ba', 'exact', '.*', '*a*a*a*a*b']
  await using server = await openMcp(bus, 's', { command: 'x' }, { home: tmpdir(), tools })
  await using client = await bus.connect('agent', { allow: ['s:default'] })
  expect([server.changes, client.label]).toEqual([[], 'agent'])
  const commands = (await bus.describe('agent')).map(({ command }) => command)
  expect(commands.toSorted()).toEqual(['.x', 'abba', 'exact', 'gd', 'good'].map(name => `plugin:s|${name}`))
})

test('a list of tools is bounded in tools, characters, values and pages', async () => {
  const lists = [
    [Array.from({ length: 1001 }, (_, at) => toTool(`t${at}`, '1')), 'it has more than 1000 tools'],
    [[toTool('a', `"${'x'.repeat(2 ** 21)}"`)], 'it describes its tools in more than 2097152 characters'],
    [[toTool('a', `[${'1,'.repeat(100_000)}1]`)], 'it describes its tools in more than 100000 values'],
    [[], 'it lists its tools in more than 64 pages'],
  ] as const
  for (const [texts, why] of lists) {
    setServer(([number, write]) => write(toResult(number, `{"tools":[${texts.join()}],"nextCursor":"more"}`)))
    await expect(open()).rejects.toThrow(`The MCP server "s" did not start: ${why}`)
  }
})

test('a text in the place of a schema, or of its members, has none', async () => {
  const schemas = ['"ab"', '{"type":"object","properties":"ab"}']
  const tools = schemas.map((schema, at) => `{"name":"t${at}","inputSchema":${schema}}`)
  setServer(([number, write]) => write(toResult(number, `{"tools":[${tools.join()}]}`)))
  await using _ = await open()
  const client = await bus.connect('reader', { allow: ['s:default'] })
  const described = await bus.describe('reader')
  const args = { type: 'object', properties: { onProgress: {} } }
  expect(described.map(each => each.args)).toEqual(schemas.map(() => args))
  await client.close()
})

const CHANGED = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'

test('tools are listed again at once after a change, then with pauses, and the last change is seen', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  let [lists, cost, version] = [0, 0, 0]
  let onList = (): void => {}
  const listed = (): Promise<void> => new Promise(resolve => (onList = resolve))
  setServer(
    ([number, write]) => {
      lists++
      vi.advanceTimersByTime(cost)
      write(toResult(number, `{"tools":[${toTool('good', `${version}`)},${toTool('calm', '1')}]}`))
      onList()
    },
    (number, write) => {
      version++
      for (let change = 1; change <= 9; change++) write(CHANGED)
      write(toResult(number, '{"content":[]}'))
    },
  )
  await using server = await open()
  await using client = await bus.connect('agent', { allow: ['s:default'] })
  const call = (): Promise<unknown> => client.invoke('plugin:s|calm')
  const first = listed()
  await call()
  await first
  // Each list costs 500 ms of the host's time from here on.
  for (const ms of [1000, 5000, 5000]) {
    const before = lists
    await call()
    vi.advanceTimersByTime(ms - 1)
    await call()
    expect(lists).toBe(before)
    cost = 500
    const next = listed()
    vi.advanceTimersByTime(1)
    await next
  }
  await call()
  expect(server.changes).toMatchObject([{ tool: 'good', change: 'changed' }])
})

test('a change right after the list of the start is seen', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  let version = 0
  setServer(([number, write]) => {
    write(toResult(number, `{"tools":[${toTool('good', `${version}`)}]}`))
    if (version++ === 0) write(CHANGED)
  })
  await using server = await open()
  await expect
    .poll(() => (vi.advanceTimersByTime(1000), server.changes))
    .toMatchObject([{ tool: 'good', change: 'changed' }])
})

test('a name that is no command is mapped, the second tool with a permission is refused, and its call says why', async () => {
  const warn = vi.spyOn(getLog(bus), 'warn')
  const names = ['read_note', 'read-note', 'files/read', 'Create Share', 'x'.repeat(200), ' _proto_ ', 'n_ow']
  // A tool that is no command takes no permission from another.
  const texts = [...names.map(name => toTool(name, '1')), toTool('n/ow', '{"__proto__":1}')]
  const called: unknown[] = []
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${texts.join()}]}`)),
    (number, write, params) => {
      called.push(params['name'])
      write(toResult(number, '{"content":[]}'))
    },
  )
  await using server = await open()
  expect(server.changes).toEqual([
    { tool: ' _proto_ ', change: 'unserved', reason: expect.stringContaining('its name') },
    { tool: 'n/ow', change: 'unserved', reason: expect.stringContaining('nested') },
    { tool: 'x'.repeat(200), change: 'unserved', reason: expect.stringContaining('its name') },
    { tool: 'read_note', change: 'unserved', reason: 'it shares the permission "s:allow-read-note" with "read-note"' },
  ])
  expect(warn.mock.lastCall?.[0]).toContain(
    '"read_note" (it shares the permission "s:allow-read-note" with "read-note")',
  )
  const client = await bus.connect('reader', { allow: ['s:default'] })
  for (const name of ['read-note', 'files_read', 'Create_Share', 'n_ow']) await client.invoke(`plugin:s|${name}`)
  expect(called).toEqual(['read-note', 'files/read', 'Create Share', 'n_ow'])
  await rows([
    ['files/read', 'its name here is "files_read"'],
    ['Create Share', 'its name here is "Create_Share"'],
    ['read_note', '"read-note" has its permission'],
  ])(async (name, why) => {
    await expect(client.invoke(`plugin:s|${name}`)).rejects.toThrow(`Command ${name} of plugin s not found: ${why}`)
  })
  await client.close()
})

test('what a tool answers is passed on, whatever its output schema says, and a warning says so once', async () => {
  const warn = vi.spyOn(getLog(bus), 'warn')
  const text = { content: [{ type: 'text', text: 'written' }] }
  await rows([
    ['{"type":"object"}', text, 'structuredContent is missing'],
    [
      '{"type":"object","properties":{"n":{"type":["integer","null"]}}}',
      { ...text, structuredContent: { n: '1' } },
      'structuredContent.n is not of type integer,null',
    ],
    ['{"required":["n"]}', { ...text, structuredContent: { m: 1 } }, 'structuredContent.n is missing'],
    ['{"properties":{"n":{"$ref":"#/$defs/none"}}}', { ...text, structuredContent: { n: 1 } }, undefined],
    ['{"type":[{"toString":1}],"required":[{"toString":1}]}', { ...text, structuredContent: {} }, undefined],
    ['{"type":"object"}', { content: [{ type: 'hologram' }], structuredContent: {} }, undefined],
  ])(async (outputSchema, result, why) => {
    warn.mockClear()
    const tool = `{"name":"good","inputSchema":{"type":"object"},"outputSchema":${outputSchema}}`
    setServer(
      ([number, write]) => write(toResult(number, `{"tools":[${tool}]}`)),
      (number, write) => write(toResult(number, JSON.stringify(result))),
    )
    await using _ = await open()
    const client = await bus.connect('writer', { allow: ['s:default'] })
    for (let call = 1; call <= 2; call++) expect(await client.invoke('plugin:s|good')).toEqual(result)
    const texts = warn.mock.calls.map(([warning]) => String(warning))
    const expected = `The tool "good" of the MCP server "s" broke its output schema: ${why}.`
    expect(texts).toEqual(why === undefined ? [] : [expect.stringContaining(expected)])
    await client.close()
  })
})

test('a result of another kind, or that no message can have, is refused with its reason', () =>
  rows([
    ['{"task":{"taskId":"1"}}', 'it has "task" in place of "content"'],
    ['{"toolResult":5}', 'it has "toolResult" in place of "content"'],
    ['{"content":[{"type":"text","__proto__":1}]}', 'it has a member "__proto__"'],
    ['{"content":[],"isError":true,"structuredContent":{"__proto__":1}}', 'it has a member "__proto__"'],
  ])(async (result, why) => {
    setServer(
      ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
      (number, write) => write(toResult(number, result)),
    )
    await using _ = await open()
    await using client = await bus.connect('caller', { allow: ['s:default'] })
    await expect(client.invoke('plugin:s|good')).rejects.toMatchObject({
      commandCode: 'TOOL_FAILED',
      message: expect.stringContaining(`"s" ran, and its result was refused: ${why}`) as string,
    })
  }))

test('a server that answers no question of the newer protocol has until startTimeout to answer the older one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  setServer(([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)))
  const answer = serve
  const received = (method: string): Promise<() => void> =>
    new Promise(resolve => {
      const others = serve
      serve = (each, write) => (each.method === method ? resolve(() => answer(each, write)) : others(each, write))
    })
  const [asked, begun] = [received('server/discover'), received('initialize')]
  const opening = open()
  await asked
  vi.advanceTimersByTime(5000)
  let initialize: (() => void) | undefined
  void begun.then(answerIt => (initialize = answerIt))
  await expect.poll(() => initialize).toBeDefined()
  vi.advanceTimersByTime(54_000)
  initialize!()
  await using server = await opening
  expect(server.changes).toEqual([])
})

test('a server that ends and then never answers has failed after three restarts', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
    (_number, write) => {
      serve = () => {}
      write('x'.repeat(5 * 2 ** 20))
    },
  )
  await using server = await openMcp(
    bus,
    's',
    { command: 'x' },
    { home: tmpdir(), restarts: { intensity: 10, delay: { min: 1, max: 1 } } },
  )
  const events: string[] = []
  server.on('restart', ({ reason }) => void events.push(reason))
  server.on('failed', ({ reason }) => void events.push(`failed: ${reason}`))
  const client = await bus.connect('caller', { allow: ['s:default'] })
  const sent = 'it sent a message of more than 4194304 bytes'
  await expect(client.invoke('plugin:s|good')).rejects.toMatchObject({
    reason: 'Disconnected',
    message: `The MCP server "s" ended during the call: ${sent}`,
    data: { delivered: 'unknown' },
  })
  const late = 'The MCP server "s" did not start: it did not list its tools within the 60000 ms of "startTimeout"'
  await expect.poll(() => (vi.advanceTimersByTime(60_000), events)).toEqual([sent, late, late, `failed: ${late}`])
  await client.close()
})

test('progress puts off the deadline of a call, and neither a start nor a call leaves one behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  let report: ((value: number) => void) | undefined
  let finish = (): void => {}
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
    (number, write, { _meta: meta }) => {
      const { progressToken } = meta as { progressToken: unknown }
      report = progress => {
        const params = JSON.stringify({ progressToken, progress })
        write(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`)
      }
      finish = () => write(toResult(number, '{"content":[]}'))
    },
  )
  const before = vi.getTimerCount()
  await using server = await open()
  expect(vi.getTimerCount()).toBe(before)
  const client = await bus.connect('caller', { allow: [`${server.name}:default`] })
  const reported: unknown[] = []
  const onProgress = new Channel(value => void reported.push(value))
  const call = client.invoke('plugin:s|good', { onProgress })
  call.catch(() => {})
  await expect.poll(() => report).toBeDefined()
  for (const each of [1, 2, 3]) {
    vi.advanceTimersByTime(40_000)
    report!(each)
    await expect.poll(() => reported).toHaveLength(each)
  }
  finish()
  expect(await call).toEqual({ content: [] })
  expect(vi.getTimerCount()).toBe(before)
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

test('lines that are no message are counted, whatever they are', () =>
  rows(['[]', ' [ ] ', '\u{feff}[]', '[[]]', '', 'text', '1'])(async line => {
    setServer(
      ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
      (_number, write) => Array.from({ length: 1001 }, () => write(line)),
    )
    await using _ = await open()
    const client = await bus.connect('caller', { allow: ['s:default'] })
    const text = 'The MCP server "s" ended during the call: it sent more than it was asked for'
    await expect(client.invoke('plugin:s|good')).rejects.toThrow(text)
    await client.close()
  }))

const TRANSPORT = { program: {} as never, maxMessage: 2 ** 22, timeout: 60_000, onStderr: undefined }

test('calls of any size wait until the server takes them, and end it for nobody', async () => {
  setServer(
    ([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)),
    (number, write, { arguments: given }) => {
      const { text } = given as { text: string }
      write(toResult(number, `{"content":[],"structuredContent":{"length":${text.length}}}`))
    },
  )
  await using _ = await open()
  await using client = await bus.connect('caller', { allow: ['s:default'] })
  const lengths = [1, 9e6, 1, 2e6, 2e6, 2e6, 2e6, 2e6, 2e6]
  const calls = lengths.map(length => client.invoke('plugin:s|good', { text: 'x'.repeat(length) }))
  expect(await Promise.all(calls)).toMatchObject(lengths.map(length => ({ structuredContent: { length } })))
})

test('a server that takes a part of a message each minute goes on, and one that takes nothing is ended', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  isReading = false
  onTestFinished(() => {
    vi.useRealTimers()
    isReading = true
  })
  const transport = new ProgramTransport(TRANSPORT)
  await transport.start()
  const request = (id: number, length: number): Promise<void> =>
    transport.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { text: 'x'.repeat(length) } })
  const sent = [request(1, 200_000), request(2, 1)]
  const params = { requestId: 2 }
  // A request that was not written yet is never written once it is cancelled.
  await transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
  let taken = ''
  while (!taken.endsWith('}\n')) {
    await expect.poll(() => lastStdin.readableLength).toBeGreaterThan(0)
    vi.advanceTimersByTime(50_000)
    taken += String(lastStdin.read())
  }
  await Promise.all(sent)
  expect(taken).toMatch(/^[^\n]*"id":1\}?[^\n]*\n$/)
  expect(transport.isClosed).toBe(false)
  const stuck = request(3, 200_000)
  await expect.poll(() => lastStdin.readableLength).toBeGreaterThan(0)
  vi.advanceTimersByTime(60_000)
  expect(await transport.ended).toBe('it does not read what it is sent')
  await stuck
})

test('a tool that cannot be served is not accepted, and takes no place once it can: a person is shown its text', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const faulty = toTool('odd', '{"__proto__":1}')
  let texts = [toTool('read_note', '1'), faulty]
  let notify = (): void => {}
  setServer(([number, write]) => {
    notify = () => write(CHANGED)
    write(toResult(number, `{"tools":[${texts.join()}]}`))
  })
  await using server = await open()
  await using _ = await bus.connect('reader', { allow: ['s:default'] })
  const change = async (next: string[], ...changes: object[]): Promise<void> => {
    texts = next
    notify()
    await expect.poll(() => (vi.advanceTimersByTime(1000), server.changes)).toMatchObject(changes)
  }
  const late = toTool('read-note', '2')
  const unserved = [{ tool: 'odd', change: 'unserved' }]
  await change([toTool('read_note', '1'), faulty, late], { tool: 'odd' }, { tool: 'read-note', change: 'unserved' })
  await expect(server.accept(['read-note'])).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining('accept: "read-note" must be a tool that can be served: it shares') as string,
  })
  await server.accept(server.changes)
  await change([faulty, late], { tool: 'read_note', change: 'removed' }, ...unserved, { tool: 'read-note' })
  await server.accept(server.changes)
  const offered = expect.stringContaining('"x": 2') as string
  expect(server.changes).toMatchObject([{ tool: 'read-note', change: 'added', offered }, ...unserved])
  expect(await bus.describe('reader')).toEqual([])
  // One that was accepted at the start, and becomes another one.
  const mended = { tool: 'odd', change: 'changed', offered: expect.stringContaining('"x": 3') as string }
  await change([toTool('odd', '3')], mended, ...unserved)
})

test('a person accepts what was shown: not what the server says later, nor a tool that takes the name of another', async () => {
  let texts = [toTool('read_note', '1')]
  let notify = (): void => {}
  const called: unknown[] = []
  setServer(
    ([number, write]) => {
      notify = () => write(CHANGED)
      write(toResult(number, `{"tools":[${texts.join()}]}`))
    },
    (number, write, params) => {
      called.push(params['name'])
      write(toResult(number, '{"content":[]}'))
    },
  )
  await using server = await open()
  const change = (...next: string[]): void => {
    texts = next
    notify()
  }
  change(toTool('read_note', '2'))
  await expect.poll(() => server.changes).toMatchObject([{ tool: 'read_note', change: 'changed' }])
  const shown = server.changes
  expect([shown[0]!.accepted, shown[0]!.offered].map(text => JSON.parse(text!).inputSchema.x)).toEqual([1, 2])
  change(toTool('read_note', '3'), toTool('read note', '1'), toTool('read-note', '1'))
  await expect
    .poll(() => server.changes)
    .toMatchObject([{ tool: 'read_note' }, { tool: 'read note' }, { tool: 'read-note' }])
  expect(server.changes.map(each => each.change)).toEqual(['changed', 'unserved', 'unserved'])
  await expect(server.accept(shown)).rejects.toMatchObject({ reason: 'InvalidRequest' })
  await server.accept(server.changes.slice(0, 1))
  const client = await bus.connect('reader', { allow: ['s:default'] })
  await client.invoke('plugin:s|read_note')
  expect(called).toEqual(['read_note'])
  await client.close()
})

test('a person who accepts all has seen it', async () => {
  let text = toTool('read', '1')
  let notify = (): void => {}
  setServer(([number, write]) => {
    notify = () => write(CHANGED)
    write(toResult(number, `{"tools":[${text}]}`))
  })
  await using server = await open()
  const change = (next: string): Promise<unknown> => {
    text = toTool('read', next)
    notify()
    return new Promise(resolve => server.on('changed', resolve))
  }
  for (const offered of ['2', '3']) await change(offered)
  const another = { reason: 'InvalidRequest', message: expect.stringContaining('Show `changes` again') }
  await expect(server.accept()).rejects.toMatchObject(another)
  expect(server.changes).toMatchObject([{ change: 'changed' }])
  await change('4')
  await expect(server.accept()).rejects.toMatchObject(another)
  expect(JSON.parse(server.changes[0]!.offered!).inputSchema.x).toBe(4)
  await server.accept()
  expect(server.changes).toEqual([])
})

test('a server that does not read what it is sent, or has closed its input, is ended', async () => {
  setServer(([number, write]) => write(toResult(number, `{"tools":[${toTool('good', '1')}]}`)))
  await using _ = await open()
  const client = await bus.connect('caller', { allow: ['s:default'] })
  lastStdin.destroy()
  const text = 'The MCP server "s" ended during the call: it closed its standard input'
  await expect(client.invoke('plugin:s|good')).rejects.toMatchObject({ reason: 'Disconnected', message: text })
  await client.close()
  isReading = false
  onTestFinished(() => void (isReading = true))
  const transport = new ProgramTransport({ ...TRANSPORT, maxMessage: 50_000 })
  await transport.start()
  const answer = (id: number): Promise<void> =>
    transport.send({ jsonrpc: '2.0', id, result: { text: 'x'.repeat(60_000) } })
  // More than its pipe and its stream take.
  await Promise.allSettled([1, 2, 3, 4].map(answer))
  expect(await transport.ended).toBe('it does not read what it is sent')
})
