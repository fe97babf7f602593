// Scripts in QuickJS: what they can do, what ends them, and what a hostile one reaches.
import { existsSync, readdirSync, readlinkSync, readFileSync } from 'node:fs'
import type { QuickjsSandbox } from '../../../src/life/sandboxes/quickjs.js'
import { THREAD_TIME_FILE } from '@sallyport/protocol/internal/contract'
import { describe, expect, test } from 'vitest'
import {
  type Bus,
  type Channel as ServerChannel,
  type CodecName,
  defineCore,
  type FrontendOptions,
  type RunOptions,
} from '../../../src/index.js'
import { getFrontendPids } from '../../support/processes.js'
import { count } from '../../support/members.js'
import { collectWorkers, watch, workers } from '../../support/shared-threads.js'
import { next, reuseBus, start, fixture } from '../../support/start.js'
import { LONGEST, SOON } from './script-time.js'
import { choose, rows } from '../../../../../scripts/testing.js'

/** Long enough for any script that does not loop, however busy the machine is. */
const CALM = { timeout: 60_000 }

const open = (bus: Bus, label: string, source: string, options: FrontendOptions = {}): Promise<unknown> =>
  bus.open(label, { source, name: `${label}.js` }, { sandbox: 'quickjs', allow: '*', ...options })

const core = defineCore({
  commands: {
    add: ({ a, b }: { a: number; b: number }) => a + b,
    echo: (args: unknown) => args,
    text: ({ length }: { length: number }) => 'x'.repeat(length),
    body: (_args: unknown, { request: { body } }) => body,
    async *numbers({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n
    },
    async sum({ values }: { values: AsyncIterable<number> }) {
      let sum = 0
      for await (const value of values) sum += value
      return sum
    },
    async send({ channel, to }: { channel: ServerChannel; to: number }) {
      for (let n = 1; n <= to; n++) await channel.send(n)
    },
    finish: ({ channel }: { channel: ServerChannel }) => channel.end(),
    never: (_args: unknown, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    who: (_args: unknown, { label }) => label,
  },
})

type Sandbox = NonNullable<RunOptions['sandbox']>

/** Newer versions of Node tell the CPU time of a thread themselves. */
const readsThreadTime = !('threadCpuUsage' in process) && existsSync(THREAD_TIME_FILE)

const getOpenFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map(name => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      return 'closed meanwhile'
    }
  })

const sandboxes: [name: string, sandbox: Sandbox][] = choose(
  [
    ['a thread', 'quickjs'],
    ['a process', { kind: 'quickjs', process: true }],
  ],
  0,
)

const getBus = reuseBus({ core })
const getBusOf = { json: getBus, msgpack: reuseBus({ core, codec: 'msgpack' }) }

test.runIf(readsThreadTime)('a script host can read the CPU time of its thread', () =>
  rows<[name: string, sandbox: Sandbox, getHosts: () => number[]]>([
    ['a thread', 'quickjs', () => [process.pid]],
    // Only root may look into a wall.
    ['a process', { kind: 'quickjs', process: true, wall: 'none' }, getFrontendPids],
  ])(async (_name, sandbox, getHosts) => {
    await open(await start({ core }), 'a', '', { sandbox })
    expect(getHosts().flatMap(getOpenFiles)).toContainEqual(expect.stringMatching(/schedstat$/))
  }),
)

describe.each(sandboxes)('a script in %s', (_name, sandbox) => {
  const run = async (source: string, codec: CodecName = 'json', args: object = {}): Promise<unknown> =>
    (await getBusOf[codec]()).run(source, { sandbox, args, allow: '*', ...CALM })

  test('streams both ways, and leaves a stream early', async () => {
    const source = `const read = []
      for await (const n of stream('numbers', { to: 1e6 })) if (read.push(n) === 3) break
      async function* values() { yield 1; yield 2 }
      return [read, await invoke('sum', { values: values() })]`
    expect(await run(source)).toEqual([[1, 2, 3], 3])
  })

  test('gets the messages of a channel by a function', async () => {
    // The messages arrive before the answer of the call.
    const source = `const got = []
      await invoke('send', { channel: new Channel(message => got.push(message)), to: 3 })
      return got`
    expect(await run(source)).toEqual([1, 2, 3])
  })

  test('exposes functions that stream, and that are cancelled', async () => {
    const bus = await start({ core })
    const source = `import { emit, expose } from '@sallyport/frontend'
      expose({
        async *up({ to }) { for (let n = 1; n <= to; n++) yield n },
        wait: (args, { signal }) => new Promise(() => signal.addEventListener('abort', () => emit('aborted', signal.reason.name))),
      })`
    await open(bus, 'a', source, { sandbox })
    const values: unknown[] = []
    for await (const value of bus.stream('a', 'up', { to: 3 })) values.push(value)
    expect(values).toEqual([1, 2, 3])
    const aborted = next(bus, 'aborted')
    await expect(bus.call('a', 'wait', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await aborted).toBe('AbortError')
  })

  test('goes on after each call of a function that has the name of the function of `bus.run`', async () => {
    const bus = await start({ core })
    await open(bus, 'a', `let calls = 0\nsallyport.expose({ 'bus.run': () => ++calls })`, { sandbox })
    expect(await bus.call('a', 'bus.run')).toBe(1)
    expect(await bus.call('a', 'bus.run')).toBe(2)
  })

  test('cancels each call with a signal, also after it has aborted', async () => {
    const source = `const controller = new AbortController()
      const call = () => invoke('never', {}, { signal: controller.signal }).catch(error => error.reason)
      const first = [call(), call()]
      controller.abort()
      return [...(await Promise.all(first)), await call(), await call()]`
    expect(await run(source)).toEqual(['Cancelled', 'Cancelled', 'Cancelled', 'Cancelled'])
  })

  test('sends and gets bytes, which the option transfer copies', () =>
    rows(['json', 'msgpack'] as const)(async codec => {
      const source = `const bytes = new Uint8Array([1, 2])
        return [await invoke('body', bytes), await invoke('body', bytes, { transfer: [bytes.buffer] })]
          .map(body => [...body])`
      expect(await run(source, codec)).toEqual([
        [1, 2],
        [1, 2],
      ])
    }))

  test('keeps values of JavaScript over MessagePack', async () => {
    const date = new Date(5)
    const source = `return {
      isDate: args.date instanceof Date, date: args.date, big: 12345678901234567890n, url: new URL('http://a/'),
    }`
    const expected = { isDate: true, date, big: 12_345_678_901_234_567_890n, url: 'http://a/' }
    expect(await run(source, 'msgpack', { date })).toEqual(expected)
    const refused = run('return { all: [new Map()] }', 'msgpack')
    await expect(refused).rejects.toThrow('all[0] is a value of type Map, which MessagePack cannot represent')
  })

  test('has globals of the web, and nothing of Node', async () => {
    const source = `
      const url = new URL('/a?x=1#h', 'http://u:p@b.example:8080')
      url.searchParams.append('y', 'ä b')
      const bytes = crypto.getRandomValues(new Uint8Array(16))
      const clone = structuredClone({ map: new Map([[1, new Date(3)]]), set: new Set([1]) })
      const order = []
      await new Promise(resolve => { setImmediate(() => order.push('immediate')); setTimeout(() => resolve(), 5); queueMicrotask(() => order.push('micro')) })
      const repeated = await new Promise(resolve => { let n = 0; const id = setInterval(() => { if (++n === 3) { clearInterval(id); resolve(n) } }, 1) })
      return {
        href: url.href, host: url.host, text: new TextDecoder().decode(new TextEncoder().encode('ä€😀')),
        random: bytes.some(Boolean), clone: clone.map.get(1).getTime() + clone.set.size, order, repeated,
        hash: url.hash, bad: URL.canParse('nope'), json: JSON.stringify({ url }),
        node: [typeof process, typeof require, typeof Buffer, typeof fetch, typeof WebAssembly, typeof __sallyport, typeof SharedArrayBuffer],
      }`
    expect(await run(source)).toEqual({
      href: 'http://u:p@b.example:8080/a?x=1&y=%C3%A4+b#h',
      host: 'b.example:8080',
      text: 'ä€😀',
      random: true,
      clone: 4,
      order: ['micro', 'immediate'],
      repeated: 3,
      hash: '#h',
      bad: false,
      json: '{"url":"http://u:p@b.example:8080/a?x=1&y=%C3%A4+b#h"}',
      node: Array.from({ length: 7 }, () => 'undefined'),
    })
  })

  test('has the events of the web', async () => {
    const source = `
      const seen = []
      const target = new (class extends EventTarget {})()
      const see = event => seen.push(event.type + ':' + event.detail + ':' + (event.target === target))
      target.addEventListener('a', see)
      target.addEventListener('a', see)
      target.addEventListener('a', { handleEvent: event => event.preventDefault() }, { once: true })
      const isDone = [new CustomEvent('a', { detail: 1, cancelable: true }), new CustomEvent('a', { cancelable: true })]
        .map(event => target.dispatchEvent(event))
      const controller = new AbortController()
      target.addEventListener('b', see, { signal: controller.signal })
      const any = AbortSignal.any([controller.signal, AbortSignal.timeout(1e6)])
      any.onabort = event => seen.push(event.type + ':' + (event.target === any))
      any.addEventListener('abort', () => seen.push(any.reason))
      controller.abort('why')
      target.dispatchEvent(new Event('b'))
      target.removeEventListener('a', see)
      target.dispatchEvent(new Event('a'))
      return { seen, isDone, isTarget: any instanceof EventTarget, already: AbortSignal.any([AbortSignal.abort(2)]).reason }`
    expect(await run(source)).toEqual({
      seen: ['a:1:true', 'a:null:true', 'abort:true', 'why'],
      isDone: [false, true],
      isTarget: true,
      already: 2,
    })
  })

  test('JSON refuses values that it cannot represent, as that of any frontend', () =>
    rows([
      ['new Map([[1, 2]])', 'Map'],
      ['new Set([1])', 'Set'],
      ['/a/', 'RegExp'],
      ['new Error("a")', 'Error'],
      ['[1].values()', 'Iterator'],
    ])(async (value, type) => {
      const what = `a value of type ${type}, which JSON cannot represent`
      await expect(run(`return { a: ${value} }`)).rejects.toThrow(what)
      await expect(run(`return invoke('echo', { a: ${value} })`)).rejects.toThrow(what)
    }))

  test('two scripts have different random numbers', async () => {
    const bus = await getBus()
    const numbers = await Promise.all([1, 2].map(() => bus.run('return Math.random()', { sandbox, ...CALM })))
    expect(numbers[0]).not.toBe(numbers[1])
  })

  test('an import of anything but the client is refused, without a path of this machine', async () => {
    const bus = await start({ core })
    const failed = open(bus, 'a', `import 'node:fs'`, { sandbox })
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining('Cannot import "node:fs"') as string,
    })
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining('dist') as string })
  })

  test('what only a limit ends, ends with it', async () => {
    const bus = await getBus()
    const small = { memory: 8, ...LONGEST }
    await rows([
      ['an endless loop', 'for (;;);', 'time', SOON],
      ['an endless loop that catches', 'for (;;) try { for (;;); } catch {}', 'time', SOON],
      ['an endless chain of promises', 'for (;;) await null', 'time', SOON],
      // Thousands of calls of such a function take minutes.
      ['a loop of calls that take long', 'const list = Array(1e5).fill("abc"); for (;;) list.join()', 'time', SOON],
      ['a loop in a timer', 'setTimeout(() => { for (;;); }); await new Promise(() => {})', 'time', SOON],
      ['a loop in a getter of its result', 'return { get a() { for (;;); } }', 'time', SOON],
      ['a regular expression that explodes', '/(a+)+$/.exec("a".repeat(40) + "b")', 'time', SOON],
      ['recursion', 'const again = () => again() + 1; again()', 'stack', {}],
      ['recursion of the parser', 'JSON.parse("[".repeat(1e6))', 'stack', {}],
      ['memory', 'const kept = []; for (;;) kept.push("x".repeat(1e5) + kept.length)', 'memory', small],
      ['a million promises', 'const kept = []; for (;;) kept.push(new Promise(() => {}))', 'memory', small],
      ['arguments that it cannot copy', 'await invoke("echo", { text: "€".repeat(1e6) })', 'memory', small],
      ['an answer that it cannot read', 'await invoke("text", { length: 5e6 })', 'memory', small],
    ])(async (_name, source, limit, limits) => {
      const limited = { kind: 'quickjs', ...(typeof sandbox === 'object' && sandbox), ...limits } as Sandbox
      const ended = bus.run(source, { sandbox: limited, allow: ['echo', 'text'], ...CALM })
      await expect(ended).rejects.toMatchObject({ reason: 'Crashed', data: { limit } })
    })
  })
})

const counter = `let count = 0
  sallyport.expose({
    count: () => ++count,
    spin: () => { for (;;); },
  })`

// Nothing is kept of what has ended: these would take more MiB.
test('a script has any number of calls, one after the other, in little memory', async () => {
  const bus = await getBus()
  await rows<[memory: number, call: string]>({
    'with a signal': [1, `await invoke('add', { a: 1, b: 1 }, { signal })`],
    'with a channel': [2, `await invoke('finish', { channel: new Channel(() => {}) })`],
    'with a stream as an argument': [2, `await invoke('sum', { values: (async function* () { yield 1 })() })`],
    'of streams that are left': [2, `for await (const value of stream('numbers', { to: 2 })) break`],
    'and listeners': [2, `(await listen('event-' + n, () => {}))()`],
    'and timers': [1, `clearTimeout(setTimeout(() => {}, 2 ** 30)); await n`],
    'of functions of the run': [1, `await tools.answer(n)`],
  })(async ([memory, call]) => {
    const source = `const { signal } = new AbortController()
      for (let n = 0; n < 2500; n++) { ${call} }
      return 'done'`
    const functions = { tools: { answer: (n: unknown) => n } }
    const sandbox = { kind: 'quickjs', memory, ...LONGEST } as const
    expect(await bus.run(source, { sandbox, functions, allow: '*', ...CALM })).toBe('done')
  })
})

describe('neighbours in one script host', () => {
  const limited: QuickjsSandbox = { kind: 'quickjs', ...LONGEST, memory: 8, group: 'g' }

  test('a hundred neighbours of a script in a loop answer', async () => {
    const bus = await start({ core })
    await open(bus, 'a', counter, { sandbox: { ...limited, ...SOON } })
    const labels = Array.from({ length: 100 }, (_, n) => `neighbour-${n}`)
    await Promise.all(labels.map(label => open(bus, label, counter, { sandbox: limited })))
    const { restarts } = watch(bus)
    const failed = bus.call('a', 'spin', {}, CALM).catch((error: unknown) => error)
    const answers = labels.flatMap(label => [1, 2, 3].map(() => bus.call(label, 'count', {}, CALM)))
    expect(await failed).toMatchObject({ reason: 'Disconnected' })
    expect(await Promise.all(answers)).toEqual(labels.flatMap(() => [1, 2, 3]))
    await expect.poll(() => restarts).toEqual(['a'])
  })

  test('lines beyond what the host takes are counted', async () => {
    const bus = await start({ core })
    let isCounted = false
    const onStdio = (text: string): void => void (isCounted ||= /^Output lost: \d+ characters/m.test(text))
    const source = `const next = () => { for (let n = 0; n < 1000; n++) console.log('x'.repeat(4000)); setTimeout(next, 1) }; next()`
    await open(bus, 'a', source, { sandbox: limited, onStdio })
    await expect.poll(() => isCounted).toBe(true)
  })

  test('a million pending calls of one of them leave the others their answers', async () => {
    const bus = await start({ core })
    const source = `sallyport.expose({ flood: () => { for (let n = 0; n < 1e6; n++) sallyport.invoke('never').catch(() => {}) } })`
    await open(bus, 'a', source, { sandbox: limited })
    await open(bus, 'b', counter, { sandbox: limited })
    const flooded = bus.call('a', 'flood', {}, CALM).catch((error: unknown) => error)
    expect(await bus.call('b', 'count', {}, CALM)).toBe(1)
    expect(await flooded).toMatchObject({ reason: 'Disconnected' })
    expect(await count(bus, 'b')).toBe(2)
  })

  test('perProcess: 1 gives each script a thread of its own', async () => {
    const bus = await start({ core })
    collectWorkers()
    for (const label of ['a', 'b', 'c'])
      await open(bus, label, counter, { sandbox: { kind: 'quickjs', perProcess: 1 } })
    expect(workers).toHaveLength(3)
  })

  test('a run that is stopped in a loop leaves its neighbours', async () => {
    const bus = await start({ core })
    await open(bus, 'b', counter, { sandbox: limited })
    const controller = new AbortController()
    await bus.listen('begun', () => controller.abort())
    const looping = bus.run(`await emit('begun'); for (;;);`, {
      sandbox: limited,
      signal: controller.signal,
      timeout: false,
    })
    await expect(looping).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(await count(bus, 'b')).toBe(1)
  })

  test('a VM that another script had contains nothing of it', async () => {
    const bus = await getBus()
    const source = `const seen = [typeof globalThis.secret, {}.polluted ?? 0, [].flat.length]
      globalThis.secret = 1; Object.prototype.polluted = 1; return seen`
    for (let n = 0; n < 5; n++)
      expect(await bus.run(source, { sandbox: limited, ...CALM })).toEqual(['undefined', 0, 0])
  })
})

describe('what crosses is taken as text', () => {
  const run = async (source: string): Promise<unknown> =>
    (await getBus()).run(source, { sandbox: 'quickjs', allow: ['echo', 'add'], ...CALM })

  test('results, and arguments of calls', () =>
    rows<[name: string, source: string, result: unknown]>([
      ['a getter', '{ get a() { return 1 } }', { a: 1 }],
      ['a proxy', 'new Proxy({ a: 1 }, { get: (target, key) => (key === "a" ? 2 : target[key]) })', { a: 2 }],
      ['toJSON', '{ toJSON: () => ({ b: 1 }) }', { b: 1 }],
      ['a key of a tag', '{ $: "date", v: [1] }', { $: 'date', v: [1] }],
      ['a polluted array', '(Array.prototype.toJSON = () => "x", Object.prototype.then = 1, [1])', 'x'],
      ['a thenable, awaited in the script', '{ then: resolve => resolve(5) }', 5],
      ['a getter in a call', 'invoke("echo", { get a() { return 1 } })', { a: 1 }],
      ['a proxy of a list in a call', 'invoke("echo", { a: new Proxy([1, 2], {}) })', { a: [1, 2] }],
      ['toJSON in a call', 'invoke("echo", { a: { toJSON: () => 5 } })', { a: 5 }],
      ['a thenable in a call', 'invoke("echo", { a: { then() {} } }).catch(error => error.reason)', 'InvalidParams'],
      [
        'a getter that throws',
        'invoke("echo", { get a() { throw TypeError("own") } }).catch(String)',
        'TypeError: own',
      ],
      [
        'an object in itself',
        'invoke("echo", (() => { const a = {}; a.a = a; return a })()).catch(error => error.message)',
        'Arguments of command "echo" cannot be serialized as json: a makes it a circular structure, which no codec can represent',
      ],
      ['a polluted prototype', '(Object.prototype.polluted = 1, invoke("echo", { a: 1 }))', { a: 1 }],
    ])(async (_name, value, result) => {
      expect(await run(`return ${value}`)).toEqual(result)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    }))

  test('a key __proto__ is refused, as that of any frontend', async () => {
    for (const source of ['invoke("echo", JSON.parse(`{"__proto__":{"a":1}}`))', 'JSON.parse(`{"__proto__":{"a":1}}`)'])
      await expect(run(`return ${source}`)).rejects.toThrow('"__proto__" is refused')
  })

  test('a script that replaces what the inside uses harms itself alone', async () => {
    const bus = await start({ core })
    const sources = [
      'JSON.stringify = () => "[".repeat(1e6); return invoke("add", { a: 1, b: 2 })',
      'JSON.stringify = () => `{"then":1}`; return invoke("add", { a: 1, b: 2 })',
      'JSON.parse = () => { throw 1 }; return invoke("add", { a: 1, b: 2 })',
      'Map.prototype.get = () => () => { throw 1 }; return invoke("add", { a: 1, b: 2 })',
      'Promise.prototype.then = () => {}; return 1',
      'Object.defineProperty(Object.prototype, "message", { get() { throw this } }); throw {}',
    ]
    const sandbox: QuickjsSandbox = { kind: 'quickjs', group: 'g' }
    const controller = new AbortController()
    const { signal } = controller
    const runs = sources.map(source =>
      bus.run(source, { sandbox, allow: ['add'], timeout: false, signal }).catch(() => {}),
    )
    const add = () => bus.run('return invoke("add", { a: 1, b: 2 })', { sandbox, allow: ['add'], ...CALM })
    expect(await add()).toBe(3)
    // Some never return.
    controller.abort()
    await Promise.all(runs)
    expect(await add()).toBe(3)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  /** @param text - takes the place of the arguments of a call, or of the value of a message to the script host */
  const forge = (text: string): string =>
    `JSON.stringify = () => ${text}; return sallyport.invoke('echo', {}).catch(error => error.reason)`
  const forgeOutput = (text: string): string => `JSON.stringify = () => ${text}; console.log(1)`

  test('a forged or large message harms its script alone', async () => {
    const bus = await start({ core })
    const sandbox: QuickjsSandbox = { kind: 'quickjs', group: 'g', memory: 256, ...LONGEST }
    await open(bus, 'b', counter, { sandbox })
    let calls = 0
    await rows({
      'a message that is nested deeply': forge('`${"[".repeat(5e5)}${"]".repeat(5e5)}`'),
      'a message of the host that is nested deeply': forgeOutput('`["stdout",${"[".repeat(5e5)}${"]".repeat(5e5)}]`'),
      'a frame that is no message': forge('`{}}, {"jsonrpc":"2.0","id":1,"method":7}`'),
      'a frame with keys of a prototype': forge(
        '`{"constructor":{"prototype":{"polluted":1}},"__proto__":{"polluted":1}}`',
      ),
      'an answer to a call that nobody made': forge('`{}},{"jsonrpc":"2.0","id":1,"result":1}`'),
      'output that is no text': forgeOutput('`["stdout",{"toString":1}]`'),
      'output of another form': forgeOutput('`null`'),
      'a string of 40 MB': 'return invoke("echo", { text: "x".repeat(4e7) }).catch(error => error.reason)',
      'a list of 100,000 values':
        'return invoke("echo", { list: Array(1e5).fill({}) }).then(() => 1, error => error.reason)',
    })(async source => {
      calls++
      await bus.run(source, { sandbox, allow: ['echo'], ...CALM }).catch(() => {})
      expect(await count(bus, 'b')).toBe(calls)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
      expect(bus.frontends().find(({ label }) => label === 'b')).toMatchObject({ restarts: 0, state: 'running' })
    })
  })

  test('code that has returned does nothing more, whatever it keeps', async () => {
    const called: unknown[] = []
    const note = (args: unknown): void => void called.push(args)
    const bus = await start({ core: defineCore({ commands: { note } }) })
    const sandbox: QuickjsSandbox = { kind: 'quickjs', perProcess: 9 }
    const source = `const { invoke: call } = sallyport
      const again = n => call('note', { n }).catch(() => {})
      setTimeout(again, 20, 1)
      setInterval(again, 20, 2)
      await sallyport.listen('ping', () => again(3))
      expose({ later: () => again(4) })
      globalThis.kept = sallyport
      Promise.resolve().then(function next() { return new Promise(resolve => setTimeout(resolve, 1)).then(next) })
      return 1`
    expect(await bus.run(source, { sandbox, allow: ['note'], label: 'kept', ...CALM })).toBe(1)
    const before = called.length
    await bus.emit('ping')
    await expect(bus.call('kept', 'later')).rejects.toMatchObject({ reason: 'Disconnected' })
    // In the same thread, its timers begin after those of the first code.
    const later = 'await new Promise(resolve => setTimeout(resolve, 60)); return typeof kept'
    expect(await bus.run(later, { sandbox, ...CALM })).toBe('undefined')
    expect(called.slice(before)).toEqual([])
  })

  test('an error of the host shows a script no path', async () => {
    const source = `const texts = []
      for (const attempt of [() => invoke(5), () => sallyport.expose({ '': () => {} }), () => import('x'), () => new URL('nope'), () => setTimeout(5)]) {
        try { await attempt() } catch (error) { texts.push(String(error.message) + error.stack) }
      }
      return texts.join()`
    expect(await run(source)).not.toMatch(/node_modules|packages|dist|file:/)
  })
})

test('wrong options are refused', () =>
  rows<[Record<string, unknown>, string]>([
    [{ memory: 0 }, 'memory must be whole MiB'],
    [{ time: 0 }, 'time must be whole milliseconds'],
    [{ group: '' }, 'group must be a name'],
    [{ pids: 1 }, 'pids must be left out: it needs process: true'],
    [{ process: true, group: '' }, 'group must be a name'],
    [{ wat: 1 }, 'unknown option'],
  ])(async (options, text) => {
    const bus = await getBus()
    const sandbox = { kind: 'quickjs', ...options } as unknown as Sandbox
    await expect(bus.run('', { sandbox })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text) as string,
    })
  }))

// Code of the kind that models write: QuickJS refuses none that V8 accepts, and its results are those of V8.
describe('code that models write', () => {
  const AsyncFunction = (async () => {}).constructor as new (...texts: string[]) => (args: unknown) => Promise<unknown>
  const getBus = reuseBus()

  const snippets = readFileSync(fixture('sandboxes/model-snippets.txt'), 'utf8')
    .split(/^=== /m)
    .slice(1)
    .map(text => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n') + 1)] as const)

  /** Node 20 has an older V8. */
  const isAccepted = (code: string): boolean => {
    try {
      void new AsyncFunction('args', `'use strict';${code}`)
      return true
    } catch {
      return false
    }
  }

  test('QuickJS has the result of V8 for a hundred snippets', async () => {
    expect(snippets.length).toBeGreaterThanOrEqual(100)
    expect(new Set(snippets.map(([name]) => name)).size).toBe(snippets.length)
    const bus = await getBus()
    await rows(snippets.filter(([, code]) => isAccepted(code)))(async (_name, code) => {
      const expected = await new AsyncFunction('args', `'use strict';${code}`)({})
      // As JSON has it: it is the codec of the bus.
      expect(await bus.run(code, { sandbox: 'quickjs', timeout: 60_000 })).toEqual(JSON.parse(JSON.stringify(expected)))
    })
  })
})
