// A bus served to the SDK's own client: tools and their calls, over each transport and protocol.
import { spawn } from 'node:child_process'
import type { HttpTransport } from '../src/serve/serve-http.js'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Bus, command, CommandError, createBus, defineCore } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { serveMcp, type ServeMcpOptions } from '../src/index.js'
import { ODD_ANSWERS } from '../../../scripts/odd-inputs.js'
import { choose, rows } from '../../../scripts/testing.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

let flooded = false
let started = 0
let aborted = 0
const core = defineCore({
  commands: {
    greet: command(
      { description: 'Greets', args: z.object({ name: z.string() }), result: z.object({ text: z.string() }) },
      ({ name }) => ({ text: `Hello, ${name}!` }),
    ),
    text: () => 'a text',
    nothing: () => undefined,
    list: () => [1, 2],
    bytes: () => new Uint8Array([1, 2, 3]),
    image: () => ({ content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] }),
    document: command({ result: z.object({ title: z.string(), content: z.array(z.any()) }) }, () => ({
      title: 'A',
      content: [],
    })),
    blocks: command({ result: z.object({ content: z.array(z.any()) }) }, () => ({
      content: [{ type: 'text', text: 'a block' }],
    })),
    fails: () => {
      throw new CommandError('NO_SUCH_NOTE', 'There is no note')
    },
    hidden: () => 'secret',
    count: async function* ({ to }: { to: number }) {
      for (let i = 1; i <= to; i++) yield i
    },
    work: command(
      { args: z.object({ steps: z.number(), onProgress: z.any() }) },
      async ({ steps, onProgress }: { steps: number; onProgress?: { send(value: unknown): unknown } }) => {
        for (let i = 1; i <= steps; i++) await onProgress?.send({ progress: i, total: steps, message: `step ${i}` })
        return 'done'
      },
    ),
    flood: command({ args: z.object({ onProgress: z.any().optional() }) }, async ({ onProgress }) => {
      const channel = onProgress as { send(value: unknown): unknown }
      for (let progress = 1; progress <= 2000; progress++) {
        await channel.send({ progress, message: 'x'.repeat(50_000) })
        // The host sends it on.
        if (progress % 20 === 0) await new Promise(resolve => setImmediate(resolve))
      }
      flooded = true
      return 'flooded'
    }),
    given: args => Object.keys(Object(args)).join(),
    givenStream: async function* (args) {
      yield Object.keys(Object(args)).join()
    },
    keys: command({ args: z.object({ onProgress: z.any().optional() }) }, args => Object.keys(args).join()),
    drip: async function* () {
      await new Promise(() => {})
      yield 1
    },
    wait: (_: unknown, { signal }) =>
      new Promise(() => {
        started += 1
        signal.addEventListener('abort', () => {
          aborted += 1
        })
      }),
  },
})
const allow = [
  'greet',
  'text',
  'nothing',
  'list',
  'bytes',
  'image',
  'document',
  'blocks',
  'given',
  'givenStream',
  'fails',
  'count',
  'drip',
  'work',
  'wait',
  'keys',
  'flood',
]

async function startBus(): Promise<Bus> {
  const bus = await createBus({ core, log: false })
  closers.push(() => bus.close({ timeout: 0 }))
  return bus
}

type Kind = 'stdio' | 'http'
type Mode = 'auto' | 'legacy'

function createClient(mode: Mode, onChange?: () => void): Client {
  const listChanged = onChange && { tools: { onChanged: onChange } }
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, ...(listChanged && { listChanged }) },
  )
  closers.push(() => client.close())
  return client
}

async function serveHttp(bus: Bus, options: Partial<ServeMcpOptions> = {}, http: Partial<HttpTransport> = {}) {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => server.close())
  closers.push(() => server.closeAllConnections())
  const service = await serveMcp(bus, { label: 'agent', allow, ...options, transport: { server, ...http } })
  closers.push(() => service.close())
  return { server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`) }
}

/** Connects a client over each kind of transport. */
async function connect(kind: Kind, mode: Mode, bus: Bus, onChange?: () => void): Promise<Client> {
  const client = createClient(mode, onChange)
  if (kind === 'http') {
    const { url } = await serveHttp(bus)
    await client.connect(new StreamableHTTPClientTransport(url))
    return client
  }
  const [transport, own] = InMemoryTransport.createLinkedPair()
  const service = await serveMcp(bus, { label: 'agent', allow, transport })
  closers.push(() => service.close())
  await client.connect(own)
  return client
}

const kinds: readonly [Kind, Mode][] = [
  ['stdio', 'auto'],
  ['stdio', 'legacy'],
  ['http', 'auto'],
  ['http', 'legacy'],
]

/** Tries all kinds in one test. */
const overEach = (check: (kind: Kind, mode: Mode) => Promise<void>) => () => rows(choose(kinds, 0, -1))(check)

describe('over stdio and HTTP, by the protocol of today and the one before', () => {
  test(
    'what the label may call are tools with their schemas',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'auto' ? '2026-07-28' : '2025-11-25')
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toEqual(allow.toSorted())
      expect(tools.find(({ name }) => name === 'greet')).toMatchObject({
        description: 'Greets',
        inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
        outputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      })
      const work = tools.find(({ name }) => name === 'work')
      expect(Object.keys(work?.inputSchema.properties ?? {})).toEqual(['steps'])
      expect(work?.inputSchema.required).toEqual(['steps'])
    }),
  )

  test(
    'results are texts, structured content, resources and images',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      const call = (name: string, args = {}) => client.callTool({ name, arguments: args })
      const text = { text: 'Hello, Ada!' }
      expect(await call('greet', { name: 'Ada' })).toMatchObject({
        content: [{ type: 'text', text: JSON.stringify(text) }],
        structuredContent: text,
      })
      expect((await call('text')).content).toEqual([{ type: 'text', text: 'a text' }])
      expect((await call('nothing')).content).toEqual([])
      expect((await call('list')).content).toEqual([{ type: 'text', text: '[1,2]' }])
      expect((await call('bytes')).content).toMatchObject([{ type: 'resource', resource: { blob: 'AQID' } }])
      expect((await call('image')).content).toEqual([{ type: 'image', data: 'AAAA', mimeType: 'image/png' }])
    }),
  )

  test(
    'an object that has more than blocks, and one that its schema describes, are structured content',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      await client.listTools()
      const document = { title: 'A', content: [] }
      expect(await client.callTool({ name: 'document', arguments: {} })).toMatchObject({
        content: [{ type: 'text', text: JSON.stringify(document) }],
        structuredContent: document,
      })
      const content = [{ type: 'text', text: 'a block' }]
      const blocks = await client.callTool({ name: 'blocks', arguments: {} })
      expect(blocks).toMatchObject({ content, structuredContent: { content } })
    }),
  )

  test(
    'errors are tool errors, and an unknown or forbidden tool is an error of the protocol',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      const call = (name: string, args = {}) => client.callTool({ name, arguments: args })
      const error = (text: unknown) => ({ isError: true, content: [{ type: 'text', text }] })
      expect(await call('fails')).toMatchObject(error('NO_SUCH_NOTE: There is no note'))
      expect(await call('greet', { name: 1 })).toMatchObject(error(expect.stringContaining('InvalidParams: ')))
      for (const name of ['hidden', 'none']) await expect(call(name)).rejects.toThrow(`Unknown tool: ${name}`)
    }),
  )

  test(
    'streams and channels report progress',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      const progress: unknown[] = []
      const onprogress = (each: unknown): void => void progress.push(each)
      const counted = await client.callTool({ name: 'count', arguments: { to: 3 } }, { onprogress })
      expect(counted.content).toEqual(['1', '2', '3'].map(text => ({ type: 'text', text })))
      const worked = await client.callTool({ name: 'work', arguments: { steps: 2 } }, { onprogress })
      expect(worked.content).toEqual([{ type: 'text', text: 'done' }])
      expect(progress).toEqual([
        { progress: 1, message: '1' },
        { progress: 2, message: '2' },
        { progress: 3, message: '3' },
        { progress: 1, total: 2, message: 'step 1' },
        { progress: 2, total: 2, message: 'step 2' },
      ])
      // A channel that nobody has asked for would be in the arguments that middleware shows a person.
      const keys = { name: 'keys', arguments: {} }
      expect((await client.callTool(keys)).content).toEqual([{ type: 'text', text: '' }])
      expect((await client.callTool(keys, { onprogress })).content).toEqual([{ type: 'text', text: 'onProgress' }])
    }),
  )

  test(
    '50 calls at once are answered, each with its own result',
    overEach(async (kind, mode) => {
      const client = await connect(kind, mode, await startBus())
      const calls = Array.from({ length: 50 }, (_, i) =>
        client.callTool({ name: 'greet', arguments: { name: `${i}` } }),
      )
      const results = await Promise.all(calls)
      expect(results.map(({ structuredContent }) => structuredContent)).toEqual(
        Array.from({ length: 50 }, (_, i) => ({ text: `Hello, ${i}!` })),
      )
    }),
  )
})

test('a bus with MessagePack is served as JSON: the command hears of what JSON has not, and bytes in an object are base64', async () => {
  const heard = vi.fn<(error: Error) => void>()
  const odd = defineCore({
    commands: {
      date: () => new Date(0),
      bytes: () => ({ inner: [new Uint8Array([1, 2])] }),
      number: () => ({ ratio: Number.NaN }),
      progress: command({ args: z.object({ onProgress: z.any() }) }, async ({ onProgress }) => {
        await (onProgress as { send(value: unknown): Promise<void> }).send(1n).catch(heard)
        return 'done'
      }),
    },
  })
  const bus = await createBus({ core: odd, log: false, codec: 'msgpack' })
  closers.push(() => bus.close({ timeout: 0 }))
  const client = createClient('legacy')
  const { url } = await serveHttp(bus, { allow: ['date', 'bytes', 'number', 'progress'] })
  await client.connect(new StreamableHTTPClientTransport(url))
  const call = (name: string) => client.callTool({ name }, { onprogress: () => {} })
  expect(await call('date')).toEqual({ content: [{ type: 'text', text: '1970-01-01T00:00:00.000Z' }] })
  expect(await call('bytes')).toMatchObject({ structuredContent: { inner: ['AQI='] } })
  expect(await call('number')).toMatchObject({ isError: true })
  expect(await call('progress')).toMatchObject({ content: [{ text: 'done' }] })
  expect(heard).toHaveBeenCalledOnce()
})

test('what the service alone passes to a command is not taken from a client, whatever the command declares', async () => {
  const client = await connect('stdio', 'auto', await startBus())
  await rows(['given', 'givenStream'])(async name => {
    const args = { code: '', interruptedRun: { answer: true }, onProgress: 1 }
    const { content } = await client.callTool({ name, arguments: args })
    expect(content).toEqual([{ type: 'text', text: 'code' }])
  })
})

test('each call has the time of the service, also that of a stream, and of a client that can be asked', () =>
  rows([
    ['wait', {}],
    ['drip', {}],
    ['wait', { elicitation: { form: {} } }],
  ])(async (name, capabilities) => {
    const [transport, own] = InMemoryTransport.createLinkedPair()
    const service = await serveMcp(await startBus(), { label: 'agent', allow, transport, timeout: 1 })
    closers.push(() => service.close())
    const options = { versionNegotiation: { mode: 'auto' as const }, capabilities: capabilities as object }
    const client = new Client({ name: 'test', version: '1' }, options)
    closers.push(() => client.close())
    await client.connect(own)
    let result: unknown
    const take = (given: unknown): void => void (result = given)
    void client.callTool({ name: name as string, arguments: {} }).then(take, take)
    const content = [{ text: expect.stringMatching(/^Timeout: .* 1 ms/) as string }]
    await expect.poll(() => result).toMatchObject({ isError: true, content })
  }))

test('a client learns the name and the instructions of the service over each transport', () =>
  rows(['stdio', 'http'] as const)(async kind => {
    const bus = await startBus()
    const told = { info: { name: 'notes', version: '2' }, instructions: 'Read before you write' }
    const client = createClient('auto')
    if (kind === 'http') {
      const { url } = await serveHttp(bus, told)
      await client.connect(new StreamableHTTPClientTransport(url))
    } else {
      const [transport, own] = InMemoryTransport.createLinkedPair()
      const service = await serveMcp(bus, { label: 'agent', allow, transport, ...told })
      closers.push(() => service.close())
      await client.connect(own)
    }
    expect(client.getServerVersion()).toMatchObject(told.info)
    expect(client.getInstructions()).toBe(told.instructions)
  }))

test('a cancelled call ends in core', () =>
  rows(choose(kinds.slice(0, -1)))(async (kind, mode) => {
    const client = await connect(kind, mode, await startBus())
    const [startedBefore, abortedBefore] = [started, aborted]
    const cancel = new AbortController()
    const call = client.callTool({ name: 'wait', arguments: {} }, { signal: cancel.signal })
    call.catch(() => {})
    await expect.poll(() => started).toBe(startedBefore + 1)
    cancel.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(() => aborted).toBe(abortedBefore + 1)
  }))

test('a call over HTTP that takes long begins its answer at once, and is never silent for more than 15 s', () =>
  rows([['auto'], ['legacy']] as const)(async mode => {
    const { url } = await serveHttp(await startBus())
    const client = createClient(mode)
    let read: () => Promise<unknown> = () => Promise.reject(new Error('No answer has begun'))
    const fetchAndWatch = async (...given: Parameters<typeof fetch>): Promise<Response> => {
      const response = await fetch(...given)
      if (!String(given[1]?.body).includes('"tools/call"')) return response
      const [own, watched] = response.body!.tee()
      const reader = watched.pipeThrough(new TextDecoderStream()).getReader()
      read = async () => (await reader.read()).value
      return new Response(own, response)
    }
    await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchAndWatch }))
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const cancel = new AbortController()
    try {
      const before = started
      client.callTool({ name: 'wait', arguments: {} }, { signal: cancel.signal }).catch(() => {})
      await expect.poll(() => started).toBe(before + 1)
      vi.advanceTimersByTime(15_000)
      await expect.poll(() => read()).toContain(': keepalive')
    } finally {
      vi.useRealTimers()
      cancel.abort()
    }
  }))

test('clients are notified when rights and plugins change', () =>
  rows(choose(kinds.slice(0, -1)))(async (kind, mode) => {
    const bus = await startBus()
    let changes = 0
    const client = await connect(kind, mode, bus, () => void (changes += 1))
    await bus.addPlugin({ name: 'late', commands: { run: () => 'run' } })
    await bus.addCapability({ identifier: 'late', windows: ['agent'], permissions: ['late:allow-run'] })
    await expect.poll(() => changes).toBeGreaterThan(0)
    await expect.poll(async () => (await client.listTools()).tools.map(({ name }) => name)).toContain('late__run')
    expect((await client.callTool({ name: 'late__run', arguments: {} })).content).toEqual([
      { type: 'text', text: 'run' },
    ])
  }))

test('wrong options are refused, and leave the label free', () =>
  rows([
    [{ alow: ['greet'], transport: 'stdio' }, 'serveMcp: unknown option "alow" (did you mean "allow"?)'],
    [
      { transport: { server: createServer(), authorise: () => false } },
      'serveMcp: unknown option "transport.authorise" (did you mean "authorize"?)',
    ],
    [{ transport: 'stdio', allow: ['gret'] }, 'serveMcp: allow[0]: unknown command'],
    [{ transport: 'stdioo' }, 'serveMcp: transport must be "stdio"'],
    [{ transport: { sever: createServer() } }, 'serveMcp: unknown option "transport.sever" (did you mean "server"?)'],
    [{ transport: { server: createServer(), path: 'mcp' } }, 'serveMcp: transport.path must be a path such as "/mcp"'],
    [{ transport: { path: '/mcp' } }, 'serveMcp: transport.path must be left out without a server'],
    [{ transport: { server: 3000 } }, 'serveMcp: transport.server must be a server of node:http'],
    [{ transport: { hosts: 'tools.example' } }, 'serveMcp: transport.hosts must be an array of names without scheme'],
    [{ transport: { hosts: ['localhost:3000'] } }, 'serveMcp: transport.hosts must be an array of names without'],
    [{ transport: { origins: ['https://app.example'] } }, 'serveMcp: transport.origins must be an array of names'],
    // An application of Express is an event emitter, too.
    [{ transport: { server: new EventEmitter() } }, 'serveMcp: transport.server must be a server of node:http'],
    [{ transport: { server: createServer(), authorize: 'token' } }, 'serveMcp: transport.authorize must be a function'],
    [{ transport: 'stdio', timeout: '5s' }, 'serveMcp: timeout must be milliseconds'],
    [{ transport: 'stdio', timeout: -1 }, 'serveMcp: timeout must be milliseconds'],
  ])(async (options, text) => {
    const bus = await startBus()
    const served = serveMcp(bus, { label: 'agent', ...options } as unknown as ServeMcpOptions)
    await expect(served).rejects.toThrow(text)
    expect(bus.frontends()).toEqual([])
  }))

test('a second service with the path of a server is refused, and the path is free again after a close', async () => {
  const bus = await startBus()
  // An application answers whatever it sees.
  const server = createServer((_request, response) => void response.writeHead(418).end())
  const service = await serveMcp(bus, { label: 'one', transport: { server } })
  const second = { label: 'two', transport: { server } }
  await expect(serveMcp(bus, second)).rejects.toThrow(
    'transport.path must be one that no other service of the server has',
  )
  await serveMcp(bus, { label: 'other', transport: { server, path: '/other' } })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const getStatus = async (path: string) => (await fetch(url + path)).status
  const getStatuses = () => Promise.all(['/mcp', '/other', '/none'].map(getStatus))
  expect(await getStatuses()).toEqual([405, 405, 418])
  await service.close()
  expect(await getStatuses()).toEqual([418, 405, 418])
  await serveMcp(bus, second)
})

test('over stdio, the end of input lets calls end, an id that is open is refused, and what anyone prints goes to standard error', async () => {
  const path = fileURLToPath(new URL('fixtures/stdio-server.mjs', import.meta.url))
  const server = spawn(process.execPath, [path], { stdio: 'pipe' })
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const messages = [
    { id: 1, method: 'initialize', params: initialize },
    { method: 'notifications/initialized' },
    ...[2, 3, 2, 4].map(id => ({ id, method: 'tools/call', params: { name: 'finish', arguments: {} } })),
    // It is not answered, and holds nothing.
    { method: 'notifications/cancelled', params: { requestId: 4 } },
  ]
  server.stdin.write('{"jsonrpc":"1.0"}\n')
  server.stdin.end(messages.map(message => JSON.stringify({ jsonrpc: '2.0', ...message })).join('\n'))
  onTestFinished(() => void server.kill())
  const output = Promise.all([server.stdout, server.stderr].map(stream => stream.toArray()))
  await expect.poll(() => server.exitCode).toBe(0)
  const [stdout, stderr] = await output
  const lines = Buffer.concat(stdout!).toString().trim().split('\n')
  const result = { content: [{ type: 'text', text: 'finished' }] }
  const all = lines.map(line => JSON.parse(line) as { id: number; error?: object })
  expect(all.filter(({ error }) => error)).toMatchObject([{ id: 2, error: { code: -32600 } }])
  const answers = all.filter(({ error }) => !error).toSorted((a, b) => a.id - b.id)
  expect(answers).toMatchObject([{ id: 1 }, { id: 2, result }, { id: 3, result }])
  const printed = Buffer.concat(stderr!).toString()
  for (const each of ['before', 'after', 'core', 'thread', 'ZodError', 'serveMcp: another service has', 'closed']) {
    expect(printed).toContain(`printed: ${each}`)
  }
})

test('over stdio, a question ends with the input: nobody can answer it', async () => {
  const path = fileURLToPath(new URL('fixtures/stdio-server.mjs', import.meta.url))
  const server = spawn(process.execPath, [path, 'quiet'], { stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void server.kill())
  const write = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo }
  write({ id: 1, method: 'initialize', params })
  write({ id: 2, method: 'tools/call', params: { name: 'ask', arguments: {} } })
  let text = ''
  for await (const chunk of server.stdout) {
    text += String(chunk)
    if (text.includes('Go on?')) server.stdin.end()
  }
  expect(JSON.parse(text.trim().split('\n').at(-1)!)).toMatchObject({ id: 2, result: { isError: true } })
})

test('over stdio, a host that prints nothing before gets no warning', async () => {
  const path = fileURLToPath(new URL('fixtures/stdio-server.mjs', import.meta.url))
  const server = spawn(process.execPath, [path, 'quiet'], { stdio: ['ignore', 'ignore', 'pipe'] })
  expect(Buffer.concat(await server.stderr.toArray()).toString()).not.toContain('bytes of standard output')
})

test('a call of a tool that the label may not use is reported and counted, and an unknown name is not', async () => {
  const bus = await startBus()
  const client = await connect('stdio', 'auto', bus)
  await bus.addPlugin({ name: 'notes', commands: { write_all: () => 1 } })
  const denied: unknown[] = []
  bus.on('denied', event => void denied.push(event))
  for (const name of ['hidden', 'none', 'event__listen', 'notes__write_all']) {
    await expect(client.callTool({ name, arguments: {} })).rejects.toThrow(`Unknown tool: ${name}`)
  }
  const commands = ['hidden', 'plugin:notes|write_all']
  await expect.poll(() => denied).toMatchObject(commands.map(command => ({ label: 'agent', command })))
  expect((await bus.stats()).frontends['agent']).toMatchObject({ denied: 2 })
})

describe('mounted in an application', () => {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }

  async function post(application: (request: IncomingMessage, response: ServerResponse) => unknown, text: string) {
    const server = createServer(application)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    closers.push(() => server.close())
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tools/of/ada`
    const response = await fetch(url, { method: 'POST', headers, body: text })
    return [response.status, await response.text()]
  }

  const read = async (incoming: IncomingMessage): Promise<string> => Buffer.concat(await incoming.toArray()).toString()

  test('the handler takes the request as it is, or what a body parser has made of it', async () => {
    const service = await serveMcp(await startBus(), { label: 'agent', allow, transport: {} })
    const { handle } = service
    const applications: ((incoming: IncomingMessage, response: ServerResponse) => unknown)[] = [
      (incoming, response) => handle(incoming, response),
      async (incoming, response) => handle(incoming, response, JSON.parse(await read(incoming))),
      async (incoming, response) => handle(incoming, response, await read(incoming)),
      // As Express does with `app.post('/mcp', express.json(), service.handle)`.
      async (incoming, response) => {
        Object.assign(incoming, { body: JSON.parse(await read(incoming)) })
        await handle(incoming, response, () => {})
      },
      // As Express 4 does for a type that its parser does not know.
      (incoming, response) => handle(incoming, response, {}),
    ]
    await rows(applications.map(application => [application]))(async application => {
      expect(await post(application, JSON.stringify(body))).toEqual([200, expect.stringContaining('"greet"')])
    })
  })

  test('a request of HTTP/2 has its host in another place', async () => {
    const { handle } = await serveMcp(await startBus(), { label: 'agent', allow, transport: {} })
    const server = createHttp2Server((incoming, response) => void handle(incoming as never, response as never))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    closers.push(() => server.close())
    const ask = async (authority: string): Promise<string> => {
      const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
      const stream = session.request({ ...headers, ':method': 'POST', ':path': '/mcp', ':authority': authority })
      stream.end(JSON.stringify(body))
      const text = Buffer.concat(await stream.toArray()).toString()
      session.close()
      return text
    }
    expect(await ask('localhost')).toContain('"greet"')
    expect(await ask('evil.example')).toContain('Invalid Host')
  })

  test('a body that was read and not given is refused, and so is another host or a service without HTTP', async () => {
    const service = await serveMcp(await startBus(), { label: 'agent', transport: { hosts: ['tools.example'] } })
    expect(await post(service.handle, '{}')).toMatchObject([403, expect.stringContaining('Invalid Host')])
    const bus = await startBus()
    const local = await serveMcp(bus, { label: 'agent', transport: {} })
    const forgetful = async (incoming: IncomingMessage, response: ServerResponse) => {
      await read(incoming)
      await local.handle(incoming, response)
    }
    expect(await post(forgetful, '{}')).toEqual([400, expect.stringContaining('The body was read before')])
    const [transport] = InMemoryTransport.createLinkedPair()
    const other = await serveMcp(bus, { label: 'other', transport })
    await expect(other.handle(null as never, null as never)).rejects.toThrow('handle needs a transport of HTTP')
  })
})

describe('over HTTP', () => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

  /** Sends a request with any headers, and returns its status. */
  const send = (server: Server, headers: Record<string, string>, text = body, path = '/mcp'): Promise<number> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo
      const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }
      request({ port, host: '127.0.0.1', method: 'POST', path, headers: all }, response => {
        response.resume()
        resolve(response.statusCode!)
      })
        .on('error', reject)
        .end(text)
    })

  test('pages of other sites and names of other machines are refused', async () => {
    const { server } = await serveHttp(await startBus(), {}, { origins: ['app.example'] })
    expect(await send(server, {})).toBe(200)
    expect(await send(server, { origin: 'https://app.example' })).toBe(200)
    expect(await send(server, { origin: 'https://evil.example' })).toBe(403)
    expect(await send(server, { origin: `https://xn--${'a'.repeat(1000)}` })).toBe(403)
    expect(await send(server, { host: 'rebound.example' })).toBe(403)
    const { port } = server.address() as AddressInfo
    const refused = await fetch(`http://127.0.0.1:${port}/mcp`, {
      method: 'POST',
      headers: { origin: 'http://a.b' },
      body,
    })
    expect(refused.headers.get('content-type')).toBe('application/json')
    const error = { code: -32_000, message: expect.stringContaining('Invalid Origin header') as unknown }
    expect(await refused.json()).toEqual({ jsonrpc: '2.0', id: null, error })
    const local = await serveHttp(await startBus(), {}, { hosts: ['localhost'], origins: ['127.0.0.1', 'app.example'] })
    for (const name of ['localhost', '127.0.0.1', '[::1]']) {
      expect(await send(local.server, { host: name, origin: `http://${name}:5173` }), name).toBe(200)
    }
    expect(await send(local.server, { host: 'localhost.example' })).toBe(403)
  })

  test('a page of an allowed origin is asked for nothing before it sends its token, and reads each answer', async () => {
    const authorize = (incoming: IncomingMessage) => incoming.headers.authorization === 'Bearer a'
    const http = { origins: ['app.example'], authorize, maxBody: 1000, path: '/mcp' }
    const { url } = await serveHttp(await startBus(), {}, http)
    const ask = (method: string, origin: string, headers: object, path = '', content?: string) =>
      fetch(`${url.href}${path}`, { method, headers: { origin, ...headers }, ...(content && { body: content }) })
    const names = 'authorization,content-type,mcp-param-region,mcp-protocol-version'
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': names }
    const page = 'https://app.example:8443'
    for (const path of ['', '/', '?a=1']) {
      const allowed = await ask('OPTIONS', page, preflight, path)
      expect(allowed.status).toBe(204)
      expect(Object.fromEntries(allowed.headers)).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': names,
        vary: 'Origin',
      })
      expect(allowed.headers.has('access-control-allow-credentials')).toBe(false)
    }
    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const authorization = 'Bearer a'
    const answers = await Promise.all([
      ask('POST', page, { ...json, authorization }, '', body),
      ask('POST', page, { ...json, authorization }, '/', body),
      ask('GET', page, { authorization }),
      ask('POST', page, json, '', body),
      ask('POST', page, { ...json, authorization }, '', JSON.stringify({ large: 'x'.repeat(2000) })),
      ask('OPTIONS', page, {}),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 405, 401, 413, 401])
    for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe(page)
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.evil',
      'https://app.example://evil.example',
      'https://evil.example#app.example',
    ]) {
      for (const [method, content] of [['OPTIONS'], ['POST', body]] as const) {
        const refused = await ask(method, origin, { ...preflight, ...json, authorization }, '', content)
        expect(refused.status, origin).toBe(403)
        expect([...refused.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
      }
    }
    const program = await fetch(url, { method: 'OPTIONS', headers: { ...preflight, authorization } })
    expect([program.status, program.headers.get('access-control-allow-origin')]).toEqual([405, null])
  })

  test('requests are bounded in size and number, authorized, and other paths are free', async () => {
    const authorize = ({ headers }: { headers: { authorization?: string | undefined } }) =>
      headers.authorization === 'Bearer a'
    const http = { maxBody: 1000, maxRequests: 1, authorize }
    const { server } = await serveHttp(await startBus(), {}, http)
    const authorization = 'Bearer a'
    expect(await send(server, {})).toBe(401)
    expect(await send(server, { authorization }, body, '/other')).toBe(404)
    expect(await send(server, { authorization }, JSON.stringify({ large: 'x'.repeat(2000) }))).toBe(413)
    const call = { name: 'wait', arguments: {} }
    const waiting = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call })
    const before = started
    const long = send(server, { authorization }, waiting).catch(() => 0)
    await expect.poll(() => started).toBe(before + 1)
    expect(await send(server, { authorization })).toBe(503)
    server.closeAllConnections()
    await long
  })

  test('a body of too many values, members, levels or messages is refused', async () => {
    const { server } = await serveHttp(await startBus())
    const members = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [at, 1]))
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'text' } }
    const within = (params: object): string => JSON.stringify({ ...call, params: { name: 'text', ...params } })
    const large = [within(members), within({ arguments: members }), within({ _meta: members })]
    await rows([
      `[${'1,'.repeat(100_000)}1]`,
      '['.repeat(100),
      JSON.stringify([call, { ...call, ...members }]),
      JSON.stringify(Array(17).fill(call)),
      ...large,
    ])(async text => expect(await send(server, {}, text)).toBe(413))
    expect(await send(server, {}, within({ arguments: { members } }))).toBe(200)
  })

  test('a user can have as many requests at a time as are free, and leaves room for others', async () => {
    const { server } = await serveHttp(await startBus(), {}, { maxRequests: 5 })
    const params = { name: 'wait', arguments: {} }
    const waiting = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params })
    const wait = (authorization: string) => send(server, { authorization }, waiting).catch(() => 0)
    const before = started
    const calls = ['ada', 'ada', 'ada'].map(wait)
    await expect.poll(() => started).toBe(before + 3)
    expect(await send(server, { authorization: 'ada' })).toBe(429)
    calls.push(wait('bob'))
    await expect.poll(() => started).toBe(before + 4)
    expect(await send(server, { authorization: 'bob' })).toBe(429)
    expect(await send(server, { authorization: 'eve' })).toBe(200)
    server.closeAllConnections()
    await Promise.all(calls)
  })

  test('a client that reads nothing gets no more progress than it has room for, and then the result', async () => {
    const { server } = await serveHttp(await startBus())
    const params = { name: 'flood', arguments: {}, _meta: { progressToken: 1 } }
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const sent = request({ port: (server.address() as AddressInfo).port, path: '/mcp', method: 'POST', headers })
    sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.socket.pause()
    await expect.poll(() => flooded).toBe(true)
    response.socket.resume()
    let text = ''
    for await (const chunk of response) text += String(chunk)
    expect(text).toContain('"flooded"')
    // What the buffers of both ends of the connection take. The tool has sent 100 MB.
    expect(text.length).toBeLessThan(32 * 2 ** 20)
  })

  test('a request is let in by a yes alone', async () => {
    let decide: () => unknown = () => true
    const authorize = () => decide() as boolean
    const { server } = await serveHttp(await startBus(), { onError: () => {} }, { authorize })
    expect(await send(server, {})).toBe(200)
    await rows([...ODD_ANSWERS, ['false', () => false] as const])(async (name, answer) => {
      decide = answer
      expect(await send(server, {})).toBe(/^(?:false|nothing|null)$/.test(name) ? 401 : 500)
    })
  })

  /** Sends a head as it is, and returns the socket and the status of the answer. */
  const sendHead = (server: Server, head: string): { socket: Socket; status: Promise<string> } => {
    const socket = connectSocket((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
    socket.write(`${head}\r\n\r\n`)
    return { socket, status: once(socket, 'data').then(([answer]) => String(answer).split(' ')[1]!) }
  }

  test('a target that is no path is answered with 404, and a host that is no name or address with 403', async () => {
    const { server } = await serveHttp(await startBus())
    const targets = ['//', '//[', '/\\', 'http://[', '*', '//evil.example/mcp', 'http://localhost/mcp']
    const hosts = ['evil.example@localhost', '@localhost', 'localhost:99999', 'localhost/', 'localhost?', 'localhost#']
    const requests = [
      ...targets.map(target => [target, 'localhost', '404'] as const),
      ...[...hosts, '\\localhost', '%6cocalhost', '[::1', ''].map(host => ['/mcp', host, '403'] as const),
    ]
    const answer = ([target, host]: readonly [string, string, string]) =>
      sendHead(server, `GET ${target} HTTP/1.1\r\nhost: ${host}`).status.then(status => [target, host, status])
    expect(await Promise.all(requests.map(answer))).toEqual(requests)
  })

  test('a target that is no path is refused by `handle`, which the SDK would take for another host', async () => {
    const { handle } = await serveMcp(await startBus(), { label: 'agent', transport: {} })
    const server = createServer((incoming, response) => void handle(incoming, response)).listen(0, '127.0.0.1')
    closers.push(() => server.close())
    await once(server, 'listening')
    for (const target of ['*', `*@${encodeURIComponent('例'.repeat(500))}/`, 'http://localhost/mcp'])
      expect(await sendHead(server, `GET ${target} HTTP/1.1\r\nhost: localhost`).status, target.slice(0, 20)).toBe(
        '400',
      )
  })

  test('a request that does not arrive, or that authorize does not decide about, loses its place to the next one', async () => {
    const authorize = ({ headers }: { headers: { authorization?: string | undefined } }) =>
      headers.authorization === 'hangs' ? new Promise<boolean>(() => {}) : true
    const { server } = await serveHttp(await startBus(), {}, { maxRequests: 2, authorize })
    const arriving = once(server, 'request')
    const slow = sendHead(server, 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9')
    await arriving
    const deciding = once(server, 'request')
    const hanging = sendHead(server, 'GET /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: hangs')
    await deciding
    expect(await send(server, {})).toBe(200)
    expect(await slow.status).toBe('408')
    const call = { name: 'wait', arguments: {} }
    const before = started
    const waiting = [1, 2].map(id =>
      send(server, {}, JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: call })).catch(() => 0),
    )
    await expect.poll(() => started).toBe(before + 2)
    expect(await hanging.status).toBe('408')
    expect(await send(server, {})).toBe(503)
    server.closeAllConnections()
    await Promise.all(waiting)
  })

  test('a request that does not arrive ends after 30 s, whoever else is served', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { server } = await serveHttp(await startBus())
    const arriving = once(server, 'request')
    const slow = sendHead(server, 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9')
    await arriving
    // A host that was suspended has had one turn, before it reads anything.
    for (let turns = vi.getTimerCount(); turns > 0; turns--) vi.advanceTimersToNextTimer()
    await new Promise(setImmediate)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(30_000)
    let status = ''
    void slow.status.then(each => (status = each))
    await expect.poll(() => status).toBe('408')
  })
})

test('two commands with one name are no tools, whatever the other one is, and a warning names both', async () => {
  const bus = await startBus()
  const warn = vi.spyOn(getLog(bus), 'warn')
  const [transport, own] = InMemoryTransport.createLinkedPair()
  const run = vi.fn<() => void>()
  await bus.addPlugin({ name: 'a', commands: { 'b.c': run, b_c: run, d: run } })
  const names = ['plugin:a|b.c', 'plugin:a|b_c', 'plugin:a|d']
  await serveMcp(bus, { label: 'agent', allow: names, transport })
  const client = createClient('auto')
  await client.connect(own)
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['a__d'])
  await expect(client.callTool({ name: 'a__b_c', arguments: {} })).rejects.toThrow('Unknown tool: a__b_c')
  expect(run).not.toHaveBeenCalled()
  expect(warn.mock.lastCall?.[0]).toContain('"plugin:a|b.c" (it shares the tool name "a__b_c" with "plugin:a|b_c")')
})

/** A schema as others write it, of arguments that nobody checks. */
const toSchema = (schema: object) => ({
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => ({ value: value as Record<string, unknown> }),
    jsonSchema: { input: () => schema, output: () => schema },
  },
})

test('an argument that is wanted in a header, too, is compared with it', async () => {
  const region = { type: 'string', 'x-mcp-header': 'Region' }
  const args = toSchema({ type: 'object', properties: { region, other: { type: 'string' } } })
  const run = vi.fn<(args: unknown) => string>(() => 'ran')
  const bus = await createBus({ core: defineCore({ commands: { run: command({ args }, run) } }), log: false })
  closers.push(() => bus.close({ timeout: 0 }))
  const { url } = await serveHttp(bus, { allow: ['run'] })
  let replace: (headers: Headers) => void = () => {}
  const fetchOther = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers)
    replace(headers)
    return fetch(input, { ...init, headers })
  }
  const client = createClient('auto')
  await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchOther }))
  await client.listTools()
  const call = (given: object) => client.callTool({ name: 'run', arguments: given as Record<string, unknown> })
  const texts = ['eu', ' ä\r\n ', '']
  for (const text of texts) expect(await call({ region: text })).toMatchObject({ content: [{ text: 'ran' }] })
  await call({ other: 'a' })
  expect(run).toHaveBeenCalledTimes(4)
  for (const value of [undefined, 'us', 'EU', '=?base64?ZXU?=', '=?base64?!!!!?=']) {
    replace = headers =>
      value === undefined ? headers.delete('mcp-param-region') : headers.set('mcp-param-region', value)
    await expect(call({ region: 'eu' }), value).rejects.toMatchObject({ code: -32_020 })
  }
  expect(run).toHaveBeenCalledTimes(4)
})

test('arguments that are a union are one object, and the command checks them', async () => {
  const square = z.object({ kind: z.literal('square'), size: z.number(), unit: z.string() })
  const circle = z.object({
    kind: z.literal('circle'),
    size: z.string(),
    radius: z.number(),
    unit: z.string().optional(),
  })
  const node: z.ZodType = z.union([square, z.object({ left: z.lazy(() => node) })])
  const refers = {
    $ref: '#/$defs/a~1b',
    $defs: { 'a/b': { properties: { id: { type: 'string' } }, required: ['id'] } },
  }
  const chain = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [n, { anyOf: [{ $ref: `#/$defs/${n + 1}` }, { $ref: `#/$defs/${n + 1}` }] }]),
  )
  const schemas = {
    union: z.discriminatedUnion('kind', [square, circle]),
    both: z.intersection(square, z.object({ size: z.int(), more: z.string() })),
    node,
    maybe: z.union([square, z.null(), z.string()]),
    refers: toSchema(refers),
    closed: toSchema({
      ...{ type: 'object', properties: { a: {} }, additionalProperties: false },
      anyOf: [{ required: ['a'] }, { properties: { __proto__x: {} } }],
    }),
    loop: toSchema({ oneOf: [{ $ref: '#' }, { allOf: [{ $ref: '#' }] }] }),
    chain: toSchema({ $ref: '#/$defs/0', $defs: chain }),
    elsewhere: toSchema({ $ref: 'https://evil.example/schema.json' }),
  }
  const commands = Object.fromEntries(
    Object.entries(schemas).map(([name, args]) => [name, command({ args }, given => JSON.stringify(given))]),
  )
  const bus = await createBus({ core: defineCore({ commands }), log: false })
  closers.push(() => bus.close({ timeout: 0 }))
  const [transport, own] = InMemoryTransport.createLinkedPair()
  await serveMcp(bus, { label: 'agent', allow: Object.keys(commands), transport })
  const client = createClient('auto')
  await client.connect(own)
  const { tools } = await client.listTools()
  const found = Object.fromEntries(tools.map(({ name, inputSchema }) => [name, inputSchema]))
  expect(tools).toHaveLength(Object.keys(schemas).length)
  for (const { inputSchema } of tools) {
    expect(inputSchema.type).toBe('object')
    for (const key of ['oneOf', 'anyOf', 'allOf', '$ref']) expect(inputSchema).not.toHaveProperty([key])
  }
  expect(found['union']).toMatchObject({
    properties: {
      kind: { type: 'string', enum: ['square', 'circle'] },
      size: { anyOf: [{ type: 'number' }, { type: 'string' }] },
      radius: { type: 'number' },
      unit: { type: 'string' },
    },
    required: ['kind', 'size'],
  })
  expect(found['both']).toMatchObject({
    properties: { size: { allOf: [{ type: 'number' }, { type: 'integer' }] }, more: { type: 'string' } },
    required: ['kind', 'size', 'unit', 'more'],
  })
  expect(Object.keys(found['node']!.properties!)).toEqual(['kind', 'size', 'unit', 'left'])
  expect(found['maybe']).toMatchObject({ required: ['kind', 'size', 'unit'] })
  expect(found['refers']).toMatchObject({ properties: { id: { type: 'string' } }, required: ['id'] })
  expect(found['closed']).toMatchObject({ properties: { a: {}, __proto__x: {} }, required: [] })
  expect(found['closed']).not.toHaveProperty('additionalProperties')
  const given = { kind: 'circle', size: 'x', radius: 1 }
  const called = await client.callTool({ name: 'union', arguments: given })
  expect(called.content).toEqual([{ type: 'text', text: JSON.stringify(given) }])
  expect(await client.callTool({ name: 'union', arguments: { ...given, radius: '1' } })).toMatchObject({
    isError: true,
  })
})

test('without allow and capabilities nothing is served', async () => {
  const bus = await startBus()
  const [transport, own] = InMemoryTransport.createLinkedPair()
  const service = await serveMcp(bus, { label: 'agent', transport })
  const client = createClient('auto')
  await client.connect(own)
  expect((await client.listTools()).tools).toEqual([])
  await bus.close()
  await service.closed
})
