// Runs that a command interrupts, and that go on: the same code, calls and values, in whichever process.
import { spawn } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { MAX_IMAGE_BYTES, MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type Bus,
  BusError,
  type BusOptions,
  type Channel as ServerChannel,
  type CommandHandler,
  defineCore,
  type InterruptedRun,
  type Middleware,
  type RunOptions,
  type RunReport,
} from '../../src/index.js'
import { createTestBus } from '../../src/testing.js'
import { openContinuation, sealContinuation } from '../../src/life/continuations/sealed-continuation.js'
import { readEffects } from '../fixtures/host/effects.mjs'
import { fixture, isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const CALM = { timeout: 60_000 }
const key = new Uint8Array(32).fill(7)

/** A core that lists the commands that ran, and answers `slow` when it is told to. */
function createCore() {
  const ran: string[] = []
  let release = (): void => {}
  const released = new Promise<void>(resolve => (release = resolve))
  const core = defineCore({
    commands: {
      add: ({ a, b }: { a: number; b: number }) => {
        ran.push('add')
        return a + b
      },
      ask: ({ what }: { what: string }, ctx) => {
        ran.push(`ask ${what}`)
        return ctx.interrupt({ what })
      },
      askLater: async ({ what }: { what: string }, ctx) => {
        await new Promise(setImmediate)
        return ctx.interrupt({ what })
      },
      slow: async () => {
        await released
        ran.push('slow')
        return 'slow'
      },
      release: () => release(),
      tick: () => {
        ran.push('tick')
      },
      async *numbers() {
        for (let n = 1; ; n++) yield n
      },
      open: async ({ channel }: { channel: ServerChannel }) => {
        await channel.send('first')
      },
      echo: (args: unknown) => args,
    },
  })
  return { core, ran, release: () => release() }
}

const open = async (core: BusOptions['core'], options: Partial<BusOptions> = {}): Promise<Bus> =>
  start({ core, runs: { key }, ...options })

async function interrupt(bus: Bus, source: string, options: RunOptions = {}): Promise<InterruptedRun> {
  const report = await bus.run(source, { sandbox: 'quickjs', allow: '*', ...CALM, ...options, report: true })
  expect(report).toMatchObject({ status: 'interrupted', value: undefined, error: undefined })
  return report as InterruptedRun
}

const thread = { sandbox: 'quickjs', allow: '*', ...CALM } as const

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

describe.each(
  choose([
    ['a thread', 'quickjs'],
    ['a process', { kind: 'quickjs', process: true }],
  ] as [string, NonNullable<RunOptions['sandbox']>][]),
)('in %s', (_name, sandbox) => {
  const options = { sandbox, allow: '*', ...CALM } as const

  test('a run goes on at the same await, and no call that had ended runs again', async () => {
    const { core, ran } = createCore()
    const bus = await open(core)
    const source = `const local = new Map([['sum', await invoke('add', args)]])
      console.log('before')
      const answer = await invoke('ask', { what: 'a' })
      console.log('after')
      return [local.get('sum'), answer, await invoke('add', { a: answer.n, b: 1 })]`
    const { continuation, data, logs, calls } = await interrupt(bus, source, { sandbox, args: { a: 1, b: 2 } })
    expect({ data, logs, calls }).toEqual({
      data: { what: 'a' },
      logs: [{ stream: 'stdout', text: 'before' }],
      calls: 2,
    })
    expect(await bus.resume(continuation, { value: { n: 5 } }, { ...options, report: true })).toEqual({
      value: [3, { n: 5 }, 6],
      logs: [{ stream: 'stdout', text: 'after' }],
      calls: 3,
      error: undefined,
    })
    expect(ran).toEqual(['add', 'ask a', 'add'])
  })

  test('a continuation of a small program is small: 24 KiB at most', async () => {
    const bus = await open(createCore().core)
    const source = `const orders = [1, 2, 3].map(id => ({ id, paid: false }))
      const answer = await invoke('ask', { what: 'orders' })
      return orders.filter(({ id }) => id !== answer)`
    const { continuation } = await interrupt(bus, source, { sandbox })
    expect(continuation.length).toBeLessThanOrEqual(24 * 1024)
    const rest = await bus.resume(continuation, { value: 2 }, options)
    expect(rest).toMatchObject([{ id: 1 }, { id: 3 }])
  })

  test('an error of the answer is thrown at the await', async () => {
    const bus = await open(createCore().core)
    const source = `try { await invoke('ask', {}) } catch (error) { return [error.reason, error.message, error.data] }`
    const { continuation } = await interrupt(bus, source, { sandbox })
    const error = new BusError('Denied', 'not today', { data: { by: 'Ann' } })
    expect(await bus.resume(continuation, { error }, options)).toEqual(['Denied', 'not today', { by: 'Ann' }])
  })

  test('a run that goes on can be interrupted again', async () => {
    const bus = await open(createCore().core)
    const source = `const got = []; for (const what of ['a', 'b', 'c']) got.push(await invoke('ask', { what })); return got`
    let report: RunReport = await interrupt(bus, source, { sandbox })
    const asked: unknown[] = []
    for (let n = 1; report.status; n++) {
      asked.push(report.data)
      report = await bus.resume(report.continuation, { value: n }, { ...options, report: true })
    }
    expect(asked).toEqual([{ what: 'a' }, { what: 'b' }, { what: 'c' }])
    expect(report).toMatchObject({ value: [1, 2, 3], calls: 3 })
  })

  test('it goes on in another process after its host was killed, and each effect happens once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'interrupt-'))
    directories.push(directory)
    const [effects, stored] = [join(directory, 'effects'), join(directory, 'continuation')]
    const program = fileURLToPath(fixture('host/interrupted-run.mjs'))
    const host = async (mode: string): Promise<{ output: string; signal: string | null }> => {
      const child = spawn(process.execPath, [program, mode, effects, stored, JSON.stringify(sandbox)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit') as Promise<[number, string | null]>
      const output = await text(child.stdout)
      return { output, signal: (await exited)[1] }
    }
    expect((await host('run')).signal).toBe('SIGKILL')
    expect(readEffects(effects)).toEqual(['before', 'asked for order 7'])
    expect(readFileSync(stored).includes('order 7')).toBe(false)
    const { output } = await host('resume')
    expect(JSON.parse(output)).toEqual({ answer: 'approved', secrets: [2, 4] })
    expect(readEffects(effects)).toEqual(['before', 'asked for order 7', 'after 2', 'after 4'])
  })

  test('a state of several parts crosses, and one that is too large ends the run', async () => {
    const bus = await open(createCore().core)
    const source = `const noise = Array.from({ length: args.parts }, () => crypto.getRandomValues(new Uint8Array(65_536)))
      await invoke('ask', {})
      return noise.length`
    const { continuation } = await interrupt(bus, source, { sandbox, args: { parts: 32 } })
    expect(continuation.length).toBeGreaterThan(2 * 2 ** 20)
    expect(await bus.resume(continuation, { value: 1 }, options)).toBe(32)
    const large = { ...options, limits: { memory: 128 }, args: { parts: 272 } }
    await expect(bus.run(source, large)).rejects.toMatchObject({
      reason: 'Overloaded',
      data: { limit: 'snapshot', max: MAX_SNAPSHOT_BYTES },
    })
    const zeros = `const zeros = new ArrayBuffer(args.bytes); await invoke('ask', {}); return zeros.byteLength`
    const rest = 8 * 2 ** 20
    const limits = { memory: 128 }
    const interrupted = await interrupt(bus, zeros, { sandbox, limits, args: { bytes: MAX_IMAGE_BYTES - rest } })
    expect(await bus.resume(interrupted.continuation, { value: 1 }, { ...options, limits })).toBe(
      MAX_IMAGE_BYTES - rest,
    )
    await expect(bus.run(zeros, { ...options, limits, args: { bytes: MAX_IMAGE_BYTES } })).rejects.toMatchObject({
      reason: 'Overloaded',
      data: { limit: 'memory', max: MAX_IMAGE_BYTES },
    })
  })

  test('its limits hold when it goes on', async () => {
    const bus = await open(createCore().core)
    const interruptBefore = async (rest: string): Promise<Uint8Array> =>
      (await interrupt(bus, `await invoke('ask', {}); ${rest}`, { sandbox })).continuation
    const limited = {
      ...options,
      sandbox: { ...(typeof sandbox === 'object' ? sandbox : { kind: sandbox }), time: 1 },
    }
    const loop = bus.resume(await interruptBefore('for (;;);'), { value: 1 }, limited as RunOptions)
    await expect(loop).rejects.toMatchObject({ reason: 'Crashed', data: { limit: 'time' } })
    const full = await interruptBefore('const all = []; for (;;) all.push(new Uint8Array(1e5))')
    const fill = bus.resume(full, { value: 1 }, { ...options, limits: { memory: 8 } })
    await expect(fill).rejects.toMatchObject({ reason: 'Crashed', data: { limit: 'memory', max: 8 } })
    expect(await bus.run('return 1', options)).toBe(1)
  })
})

test('code with more memory than can be kept ends with that limit', async () => {
  const bus = await open(createCore().core)
  const source = `const held = new Uint8Array(80e6); await invoke('ask', {}); return held.length`
  const run = bus.run(source, { ...thread, limits: { memory: 128 } })
  await expect(run).rejects.toMatchObject({ reason: 'Overloaded', data: { limit: 'memory', max: 64 * 2 ** 20 } })
})

test('without a report, it rejects with the data and the continuation', async () => {
  const bus = await open(createCore().core)
  const error = await bus
    .run(`return 'got ' + (await invoke('askLater', { what: 'a' }))`, thread)
    .catch((thrown: unknown) => thrown as BusError)
  expect(error).toMatchObject({ reason: 'Interrupted', code: -32_008, data: { what: 'a' } })
  expect(JSON.stringify(error)).not.toContain('continuation')
  expect(await bus.resume((error as BusError).continuation!, { value: 'it' }, thread)).toBe('got it')
})

test('its rights, functions and label are those of the resume', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  const source = `await notes.read(); await invoke('ask', { what: 'a' })
    return [await invoke('add', { a: 1, b: 1 }).catch(error => error.reason), await notes.read().catch(error => error.reason), sallyport.getLabel()]`
  const functions = { notes: { read: () => 'first' } }
  const first = await interrupt(bus, source, { allow: ['ask', 'add'], functions, label: 'agent' })
  const [sum, read, label] = await bus.resume<string[]>(first.continuation, { value: 1 }, { ...CALM, allow: ['ask'] })
  expect([sum, read, label]).toEqual(['Denied', 'MethodNotFound', 'agent'])
  expect(ran).toEqual(['ask a'])
  const second = await interrupt(bus, source, { functions })
  const others = { notes: { read: () => 'second' } }
  const [, text2, fresh] = await bus.resume<string[]>(
    second.continuation,
    { value: 1 },
    { ...thread, functions: others },
  )
  expect(text2).toBe('second')
  expect(fresh).toMatch(/^run-\d+$/)
})

test('it is bound to its label and its code', async () => {
  const bus = await open(createCore().core)
  const source = `return [await invoke('ask', {}), sallyport.getLabel()]`
  const { continuation } = await interrupt(bus, source, { label: 'agent' })
  const resume = (options: object): Promise<unknown> =>
    bus.resume(continuation, { value: 1 }, { ...thread, ...options })
  await expect(resume({ label: 'other' })).rejects.toMatchObject({ reason: 'InvalidParams' })
  await expect(resume({ source: 'return 1' })).rejects.toThrow('the continuation is of other code')
  await expect(resume({ sandbox: 'permission' })).rejects.toThrow('sandbox must be "quickjs"')
  await expect(resume({ args: {} })).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(await resume({ label: 'agent', source })).toEqual([1, 'agent'])
})

test('a continuation that was changed, cut, or made with another key or version is refused', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  const { continuation } = await interrupt(bus, `await invoke('ask', { what: 'a' }); await invoke('tick')`)
  const refused = {
    reason: 'InvalidParams',
    message: expect.stringContaining('the continuation was refused') as string,
  }
  const places = [
    0,
    3,
    4,
    7,
    20,
    60,
    200,
    400,
    continuation.length >> 1,
    continuation.length - 17,
    continuation.length - 1,
  ]
  for (const place of places) {
    const changed = Uint8Array.from(continuation)
    changed[place]! ^= 1
    await expect(bus.resume(changed, { value: 1 }, thread), `byte ${place}`).rejects.toMatchObject(refused)
  }
  for (const length of [0, 3, 8, 100, 1000, continuation.length - 1]) {
    const cut = bus.resume(continuation.subarray(0, length), { value: 1 }, thread)
    await expect(cut, `${length} bytes`).rejects.toMatchObject(refused)
  }
  const secret = createSecretKey(key)
  const opened = openContinuation(secret, continuation)
  for (const id of [`0${opened.header.id}`, `${opened.header.id}0`, opened.header.id.toUpperCase()]) {
    const renamed = sealContinuation(secret, { ...opened, header: { ...opened.header, id } })
    await expect(bus.resume(renamed, { value: 1 }, thread), id).rejects.toMatchObject(refused)
  }
  const other = await start({ core, runs: { key: new Uint8Array(32).fill(8) } })
  await expect(other.resume(continuation, { value: 1 }, thread)).rejects.toMatchObject(refused)
  const keyless = await start({ core })
  await expect(keyless.resume(continuation, { value: 1 }, thread)).rejects.toThrow('the bus has no key')
  await expect(bus.resume('text' as never, { value: 1 })).rejects.toThrow('must be a Uint8Array')
  for (const answer of [undefined, {}, { value: 1, error: 1 }, { values: 1 }])
    await expect(bus.resume(continuation, answer as never, thread)).rejects.toThrow('must be { value } or { error }')
  // None of these has used it up.
  await bus.resume(continuation, { value: 1 }, thread)
  expect(ran).toEqual(['ask a', 'tick'])
})

test('a continuation of another engine is refused, and both are named', async () => {
  const bus = await open(createCore().core)
  const { continuation } = await interrupt(bus, `return invoke('ask', {})`)
  const secret = createSecretKey(key)
  const opened = openContinuation(secret, continuation)
  const header = { ...opened.header, engine: 'quickjs-wasi 0.1.0' }
  const other = sealContinuation(secret, { ...opened, header })
  await expect(bus.resume(other, { value: 1 }, thread)).rejects.toThrow(
    /made by "quickjs-wasi 0\.1\.0", and this host has quickjs-wasi \d/,
  )
})

test('of two resumes at once one goes on, and a later one is refused', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  const { continuation } = await interrupt(
    bus,
    `await invoke('ask', { what: 'a' }); await invoke('tick'); return 'done'`,
  )
  const resume = (): Promise<unknown> => bus.resume(continuation, { value: 1 }, thread)
  const settled = await Promise.allSettled([resume(), resume()])
  expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const claimed = { reason: 'InvalidRequest', message: expect.stringContaining('was claimed before') as string }
  expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({ reason: claimed })
  await expect(resume()).rejects.toMatchObject(claimed)
  await expect(bus.resume(continuation, { value: 1 }, { ...thread, report: true })).rejects.toMatchObject(claimed)
  expect(ran).toEqual(['ask a', 'tick'])
})

test('a function of the host decides which resume goes on, for several buses', async () => {
  const { core, ran } = createCore()
  const used = new Set<string>()
  const asked: string[] = []
  const claim = async (id: string): Promise<boolean> => (asked.push(id), used.size < used.add(id).size)
  const [first, second] = [await open(core, { runs: { key, claim } }), await open(core, { runs: { key, claim } })]
  const { continuation } = await interrupt(first, `await invoke('ask', { what: 'a' }); await invoke('tick')`)
  const buses = [first, first, second]
  const settled = await Promise.allSettled(buses.map(bus => bus.resume(continuation, { value: 1 }, thread)))
  expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(ran).toEqual(['ask a', 'tick'])
  expect([...used]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
  expect(asked, 'once for each bus').toHaveLength(2)
})

test('a claim that fails, or is neither true nor false, is an error that says so', () =>
  rows<[() => unknown, RegExp]>([
    [() => Promise.reject(new Error('no database')), /runs\.claim failed: no database$/],
    [() => 1, /runs\.claim must return true or false: got 1\. Forget its claim of [0-9a-f]{32} to resume it again$/],
    [() => 'yes', /true or false: got "yes"/],
    [() => undefined, /true or false: got undefined/],
  ])(async (claim, text) => {
    const { core, ran } = createCore()
    const bus = await open(core, { runs: { key, claim: claim as () => boolean } })
    const { continuation } = await interrupt(bus, `await invoke('ask', { what: 'b' }); await invoke('tick')`)
    const error = { reason: 'InternalError', message: expect.stringMatching(text) as string }
    await expect(bus.resume(continuation, { value: 1 }, { ...thread, report: true })).rejects.toMatchObject(error)
    expect(ran).toEqual(['ask b'])
  }))

test('a run that goes on without its functions names the one that is missing', async () => {
  const bus = await open(createCore().core)
  const functions = { notes: { read: () => 1 } }
  const source = `await invoke('ask', { what: 'a' }); return notes.read()`
  const { continuation } = await interrupt(bus, source, { functions })
  const message = 'The run has no function "notes.read". Pass its "functions" to bus.resume, too'
  const resumed = bus.resume(continuation, { value: 1 }, thread)
  await expect(resumed).rejects.toMatchObject({ reason: 'MethodNotFound', message })
})

test('no function of a run can be called before it is claimed', async () => {
  let claimed = (): void => {}
  let decide = (_isFirst: boolean): void => {}
  const asked = new Promise<void>(resolve => (claimed = resolve))
  const claim = (): Promise<boolean> => {
    claimed()
    return new Promise(resolve => (decide = resolve))
  }
  const { core, ran } = createCore()
  const bus = await open(core, { runs: { key, claim } })
  const source = `expose({ f: () => invoke('tick') }); return invoke('ask', { what: 'a' })`
  const { continuation } = await interrupt(bus, source, { label: 'agent' })
  const resumed = bus.resume(continuation, { value: 1 }, thread)
  await asked
  await expect(bus.call('agent', 'f')).rejects.toMatchObject({ reason: 'MethodNotFound' })
  decide(false)
  await expect(resumed).rejects.toMatchObject({ reason: 'InvalidRequest' })
  expect(ran).toEqual(['ask a'])
})

test('a deadline and the end of the bus also end a resume whose claim is not decided', async () => {
  let claimed = (): void => {}
  const claim = (): Promise<boolean> => {
    claimed()
    return new Promise(() => {})
  }
  const { core, ran } = createCore()
  const bus = await open(core, { runs: { key, claim } })
  const { continuation } = await interrupt(bus, `await invoke('ask', { what: 'a' }); await invoke('tick')`)
  const resume = (options: object = {}): Promise<unknown> =>
    bus.resume(continuation, { value: 1 }, { ...thread, ...options })
  await expect(resume({ timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
  expect(await resume({ timeout: 1, report: true })).toMatchObject({ error: { reason: 'Timeout' } })
  const controller = new AbortController()
  claimed = () => controller.abort()
  await expect(resume({ signal: controller.signal })).rejects.toMatchObject({ reason: 'Cancelled' })
  claimed = () => void bus.close()
  await expect(resume()).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(ran).toEqual(['ask a'])
})

test('a run that was in a process goes on in one', async () => {
  const bus = await open(createCore().core)
  const source = `return [await invoke('ask', {}), await invoke('ask', {})]`
  const process = { kind: 'quickjs', process: true } as const
  const { continuation } = await interrupt(bus, source, { sandbox: process })
  const refused = bus.resume(continuation, { value: 1 }, thread)
  await expect(refused).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining(
      'cannot go on in a thread. Resume it with sandbox {"kind":"quickjs","process":true}',
    ),
  })
  const options = { allow: '*', ...CALM } as const
  const again = await bus.resume(continuation, { value: 1 }, { ...options, report: true })
  await expect(bus.resume(again.continuation!, { value: 2 }, thread)).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(await bus.resume(again.continuation!, { value: 2 }, options)).toEqual([1, 2])
  const inThread = await interrupt(bus, `return invoke('ask', {})`)
  expect(await bus.resume(inThread.continuation, { value: 3 }, { ...options, sandbox: process })).toBe(3)
})

test('a run that holds more memory than it would have is not claimed', async () => {
  const bus = await open(createCore().core)
  const source = `const held = new Uint8Array(args.bytes); await invoke('ask', {}); return held.length`
  for (const [bytes, memory] of [
    [45 * 2 ** 20, 64],
    [7 * 2 ** 20, 8],
  ] as const) {
    const { continuation } = await interrupt(bus, source, { args: { bytes }, limits: { memory } })
    const small = bus.resume(continuation, { value: 1 }, { ...thread, limits: { memory: memory / 2 } })
    await expect(small).rejects.toMatchObject({ reason: 'Overloaded', data: { limit: 'memory', max: memory / 2 } })
    expect(await bus.resume(continuation, { value: 1 }, { ...thread, limits: { memory } })).toBe(bytes)
  }
})

test('a run goes on with the memory that it had, whatever gaps are in it', async () => {
  const bus = await open(createCore().core)
  const source = `let all = []
    for (let n = 0; n < 600; n++) all.push(new Uint8Array(40_000))
    all = all.filter((_each, n) => n % 2)
    const next = Array.from({ length: 150 }, () => new Uint8Array(80_000))
    await invoke('ask', {})
    return all.length + next.length`
  const { continuation } = await interrupt(bus, source, { limits: { memory: 25 } })
  expect(await bus.resume(continuation, { value: 1 }, { ...thread, limits: { memory: 25 } })).toBe(450)
})

test('a listener that was refused does not listen again', async () => {
  const bus = await open(createCore().core)
  const source = `const refused = await (async () => listen('no event', () => {}))().catch(error => error.reason)
    return [refused, await invoke('ask', {})]`
  const { continuation } = await interrupt(bus, source)
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual(['InvalidParams', 1])
})

test('a resume that cannot begin does not use up the continuation', async () => {
  const bus = await open(createCore().core)
  const source = `const held = new Uint8Array(6e6).fill(1); return [await invoke('ask', {}), held.length]`
  const { continuation } = await interrupt(bus, source, { label: 'agent' })
  await bus.open('agent', { source: '' }, { sandbox: 'quickjs' })
  await expect(bus.resume(continuation, { value: 1 }, thread)).rejects.toThrow('"agent" already exists')
  await bus.closeFrontend('agent')
  const unsent = bus.resume(continuation, { value: () => {} }, thread)
  await expect(unsent).rejects.toMatchObject({ reason: 'InvalidParams' })
  await expect(
    bus.resume(continuation, { value: 1 }, { ...thread, signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({
    reason: 'Cancelled',
  })
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual([1, 6e6])
})

test('a call in flight ends before the interruption, and is not repeated', async () => {
  const { core, ran, release } = createCore()
  const bus = await open(core)
  const source = `const both = Promise.all([invoke('slow'), invoke('ask', { what: 'a' }), invoke('add', { a: 1, b: 1 })])
    return [await both, await invoke('add', { a: 2, b: 2 })]`
  const running = interrupt(bus, source)
  await expect.poll(() => ran).toContain('ask a')
  release()
  const { continuation } = await running
  expect(await bus.resume(continuation, { value: 'yes' }, thread)).toEqual([['slow', 'yes', 2], 4])
  expect(ran.toSorted()).toEqual(['add', 'add', 'ask a', 'slow'])
})

test('a run whose calls in flight do not end has its deadline', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const run = bus.run(`await Promise.all([invoke('slow'), invoke('ask', { what: 'a' })])`, thread)
    const refused = run.catch((error: unknown) => error)
    // `expect.poll` would advance the fake timers.
    while (!ran.includes('ask a')) await new Promise(setImmediate)
    vi.advanceTimersByTime(CALM.timeout)
    expect(await refused).toMatchObject({ reason: 'Timeout' })
  } finally {
    vi.useRealTimers()
  }
})

test('calls that begin after the interruption begin with the resume, each once', async () => {
  const { core, ran, release } = createCore()
  const bus = await open(core)
  const source = `const other = (async () => {
      const slow = await invoke('slow')
      return [slow, await invoke('add', { a: 1, b: 2 }), (await stream('numbers').next()).value, await invoke('echo', { n: [1] })]
    })()
    const answer = await invoke('ask', { what: 'a' })
    return [await other, answer]`
  const running = interrupt(bus, source)
  await expect.poll(() => ran).toContain('ask a')
  release()
  const { continuation } = await running
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual([['slow', 3, 1, { n: [1] }], 1])
  expect(ran).toEqual(['ask a', 'slow', 'add'])
})

test('code that never stops calling is interrupted, and none of its calls is lost or repeated', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  const source = `let answer, ticks = 0
    const loop = (async () => { while (answer === undefined || ticks < 5) { await invoke('tick'); ticks++ } })()
    answer = await invoke('ask', { what: 'a' })
    await loop
    return ticks`
  const { continuation } = await interrupt(bus, source)
  const ticks = await bus.resume(continuation, { value: 1 }, thread)
  expect(ran.filter(name => name === 'tick')).toHaveLength(ticks as number)
})

test('calls that are interrupted together are answered one after the other', async () => {
  const { core, ran } = createCore()
  const bus = await open(core)
  const source = `return Promise.all(['a', 'b'].map(async what => {
    const answer = await invoke('ask', { what })
    await invoke('tick')
    return what + answer
  }))`
  const first = await interrupt(bus, source)
  expect(first.data).toEqual({ what: 'a' })
  const second = await bus.resume(first.continuation, { value: 1 }, { ...thread, report: true })
  expect(second).toMatchObject({ status: 'interrupted', data: { what: 'b' } })
  expect(await bus.resume(second.continuation!, { value: 2 }, thread)).toEqual(['a1', 'b2'])
  expect(ran).toEqual(['ask a', 'ask b', 'tick', 'tick'])
})

test('timers go on, and listeners listen again', async () => {
  const bus = await open(createCore().core)
  const source = `const seen = []
    await listen('news', ({ payload }) => seen.push(payload))
    const once = sallyport.once('end')
    let ticks = 0
    const interval = setInterval(() => ticks++, 5)
    const timeout = new Promise(done => setTimeout(done, 200, 'late'))
    await invoke('ask', {})
    ticks = 0
    while (ticks < 3) await new Promise(done => setTimeout(done, 5))
    clearInterval(interval)
    const last = ticks
    await sallyport.emit('ready')
    return [await timeout, (await once).payload, seen, ticks - last]`
  const { continuation } = await interrupt(bus, source)
  await bus.emit('news', 'lost')
  await bus.listen('ready', () => {
    void bus.emit('news', 'heard')
    void bus.emit('end', 7)
  })
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual(['late', 7, ['heard'], 0])
})

test('streams and channels that were open end: a stream with an error, after the values that had arrived', async () => {
  const bus = await open(createCore().core)
  const source = `const numbers = stream('numbers')
    const first = (await numbers.next()).value
    const ended = []
    const read = new Channel(), pushed = new Channel(message => ended.push(message))
    pushed.onend = () => ended.push('end')
    await invoke('open', { channel: read })
    await invoke('open', { channel: pushed })
    const message = (await read[Symbol.asyncIterator]().next()).value
    const waiting = read[Symbol.asyncIterator]().next()
    await invoke('ask', {})
    let next
    try { for await (const n of numbers); } catch (error) { next = [error.reason, error.message] }
    const again = new Channel()
    await invoke('open', { channel: again })
    return [first, message, next, (await waiting).done, ended, (await again[Symbol.asyncIterator]().next()).value]`
  const { continuation } = await interrupt(bus, source)
  const closed = ['Disconnected', 'The stream or channel was open when the run was interrupted, and is closed']
  const expected = [1, 'first', closed, true, ['first', 'end'], 'first']
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual(expected)
})

test('code that returns first has its result', async () => {
  const { core, ran, release } = createCore()
  const bus = await open(core)
  const source = `const slow = invoke('slow'); void invoke('ask', { what: 'a' }); void invoke('slow'); return slow`
  const running = bus.run(source, thread)
  await expect.poll(() => ran).toContain('ask a')
  release()
  expect(await running).toBe('slow')
})

test('the limit of calls, and their count, are those of the whole run', async () => {
  const bus = await open(createCore().core)
  const source = `const add = () => invoke('add', { a: 1, b: 1 })
    await add(); await listen('x', () => {}); await invoke('ask', {}); await add()
    return add().catch(error => [error.reason, error.data])`
  const limits = { calls: 3 }
  const { continuation } = await interrupt(bus, source, { limits })
  const report = await bus.resume(continuation, { value: 1 }, { ...thread, limits, report: true })
  expect(report.value).toEqual(['Overloaded', { code: 'CALLS_SPENT', limit: 'calls', max: 3 }])
})

test('a call that its caller has aborted interrupts nothing', async () => {
  let ask = (): void => {}
  const asked = new Promise<void>(resolve => (ask = resolve))
  const thrown: unknown[] = []
  const core = defineCore({
    commands: {
      ask: async (_args: unknown, ctx) => {
        ask()
        await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
        try {
          ctx.interrupt('never')
        } catch (error) {
          thrown.push((error as BusError).reason)
          throw error
        }
      },
      started: () => asked,
    },
  })
  const bus = await open(core)
  const source = `const controller = new AbortController()
    const call = invoke('ask', {}, { signal: controller.signal }).catch(error => error.reason)
    await invoke('started'); controller.abort()
    return call`
  expect(await bus.run(source, thread)).toBe('Cancelled')
  await expect.poll(() => thrown).toEqual(['Cancelled'])
})

const passes: Middleware = (_call, next) => next()
const throughMiddleware: Record<string, Middleware[]> = {
  'a handler behind middleware': [passes],
  'middleware, at once': [passes, ({ ctx }) => ctx.interrupt('approve?')],
  'middleware, later': [passes, async ({ ctx }) => (await new Promise(setImmediate), ctx.interrupt('approve?'))],
  'middleware that goes on': [
    async ({ ctx }, next) => {
      try {
        ctx.interrupt('approve?')
      } finally {
        void next()
      }
    },
  ],
}

test('a handler behind middleware, and middleware, interrupts a run without an unhandled rejection', () =>
  rows(throughMiddleware)(async use => {
    const ask: CommandHandler<unknown, unknown> = (_args, ctx) => ctx.interrupt('approve?')
    const { bus } = await createTestBus({ core: defineCore({ use, commands: { ask } }), runs: { key } })
    try {
      const { data, continuation } = await interrupt(bus, `return invoke('ask')`)
      expect(data).toBe('approve?')
      expect(await bus.resume(continuation, { value: 'yes' }, thread)).toBe('yes')
    } finally {
      await bus.close()
    }
  }))

test('a core module that interrupts from middleware does not end', async () => {
  const bus = await open(fixture('host/interrupting-core.mjs'))
  for (const name of ['ask', 'askInMiddleware']) {
    expect((await interrupt(bus, `return invoke('${name}')`)).data).toBe('approve?')
  }
  expect((await bus.stats()).core.restarts).toBe(0)
})

test('a handler or middleware that catches the error changes nothing', async () => {
  const core = defineCore({
    use: [
      async (_call, next) => {
        try {
          return await next()
        } catch (cause) {
          throw new Error('wrapped', { cause })
        }
      },
    ],
    commands: {
      caught: (_args: unknown, ctx) => {
        try {
          ctx.interrupt('first')
        } catch {}
        try {
          ctx.interrupt('second')
        } catch {}
        return 'a result'
      },
    },
  })
  const bus = await open(core)
  const { data, continuation } = await interrupt(bus, `return invoke('caught')`)
  expect(data).toBe('first')
  expect(await bus.resume(continuation, { value: 'an answer' }, thread)).toBe('an answer')
})

test('a call that cannot be interrupted gets an error that says why', async () => {
  const core = defineCore({
    commands: {
      ask: (_args: unknown, ctx) => ctx.interrupt(1),
      async *askInStream(_args: unknown, ctx): AsyncGenerator<number> {
        yield 1
        ctx.interrupt(1)
      },
      askWithFunction: (_args: unknown, ctx) => ctx.interrupt(() => {}),
    },
  })
  const bus = await open(core)
  const ask = `return invoke('ask').catch(error => [error.reason, error.message])`
  const from = (why: string): unknown => ['InvalidRequest', expect.stringContaining(why)]
  expect(await bus.run(ask, { ...thread, sandbox: 'permission' })).toEqual(from('not come from a run in QuickJS'))
  const client = await bus.connect('tests')
  await expect(client.invoke('ask')).rejects.toMatchObject({ reason: 'InvalidRequest' })
  const script = `const { invoke } = sallyport; sallyport.expose({ ask: async () => { ${ask} } })`
  await bus.open('script', { source: script }, { sandbox: 'quickjs', allow: '*' })
  expect(await bus.call('script', 'ask')).toEqual(from('not come from a run'))
  const inStream = `try { for await (const n of stream('askInStream')); } catch (error) { return [error.reason, error.message] }`
  expect(await bus.run(inStream, thread)).toEqual(from('the call is a stream'))
  const unsent = `return invoke('askWithFunction').catch(error => error.reason)`
  expect(await bus.run(unsent, thread)).toBe('InvalidParams')
  const keyless = await start({ core })
  expect(await keyless.run(ask, thread)).toEqual(from('createBus({ runs: { key } })'))
})

test('code and commands cannot forge an interruption', async () => {
  const inner = await open(createCore().core)
  const core = defineCore({
    commands: {
      nested: async () => inner.run(`await invoke('ask', {})`, thread),
      throws: () => {
        throw new BusError('Interrupted', 'forged', { data: 'forged' })
      },
    },
  })
  const bus = await open(core)
  const forged = `throw new sallyport.BusError('Interrupted', 'forged', { data: { what: 'forged' } })`
  const error = await bus.run(forged, thread).catch((thrown: unknown) => thrown as BusError)
  expect(error).toMatchObject({ reason: 'CommandFailed', message: 'forged' })
  expect((error as BusError).continuation).toBeUndefined()
  const late = await bus
    .run(`setTimeout(() => { ${forged} }); await new Promise(() => {})`, { ...thread, report: true })
    .then(report => report)
  expect(late).toMatchObject({ error: { reason: 'CommandFailed' } })
  const functions = { own: { nested: () => inner.run(`await invoke('ask', {})`, thread) } }
  for (const call of [`invoke('nested')`, `invoke('throws')`, 'own.nested()']) {
    const source = `return ${call}.catch(error => [error.reason, error.data === undefined])`
    expect(await bus.run(source, { ...thread, functions })).toEqual(['CommandFailed', true])
  }
})

test('it works behind a gate', async () => {
  const { core } = createCore()
  const everything = { identifier: 'all', windows: ['*'], permissions: ['allow-ask', 'allow-add'] }
  const bus = await open(core, isolation(undefined, {}, everything))
  const { continuation } = await interrupt(bus, `return [await invoke('ask', {}), await invoke('add', { a: 1, b: 1 })]`)
  expect(await bus.resume(continuation, { value: 1 }, thread)).toEqual([1, 2])
})

test('the answer has the codec of the bus', async () => {
  const bus = await open(createCore().core, { codec: 'msgpack' })
  const source = `const value = await invoke('ask', {}); return [value.bytes.length, value.at instanceof Date, value.none === undefined]`
  const { continuation } = await interrupt(bus, source)
  const value = { bytes: new Uint8Array(3), at: new Date(0), none: undefined }
  expect(await bus.resume(continuation, { value }, thread)).toEqual([3, true, true])
})

test('an answer that no message can carry does not use up the continuation', async () => {
  const bus = await open(createCore().core)
  const { continuation } = await interrupt(bus, `return (await invoke('ask', {})).byteLength`)
  for (const value of ['x'.repeat(2 ** 24), JSON.parse('{"__proto__": 1}') as unknown])
    await expect(bus.resume(continuation, { value }, thread)).rejects.toThrow('The answer of bus.resume cannot be')
  expect(await bus.resume(continuation, { value: new Uint8Array(9) }, thread)).toBe(9)
})

test('a key can be a KeyObject or a CryptoKey', async () =>
  rows([
    ['a KeyObject', createSecretKey(key)],
    ['a CryptoKey', await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits'])],
  ])(async (_name, own) => {
    const { core } = createCore()
    const { continuation } = await interrupt(await open(core), `return invoke('ask', {})`)
    const bus = await open(core, { runs: { key: own as NonNullable<BusOptions['runs']>['key'] & {} } })
    expect(await bus.resume(continuation, { value: 1 }, thread)).toBe(1)
  }))

test('a key that is no secret of 32 bytes is refused', () =>
  rows([
    ['bytes of another length', new Uint8Array(31)],
    ['a string', 'x'.repeat(32)],
    ['an object', {}],
  ])(async (_name, wrong) => {
    await expect(start({ runs: { key: wrong as never } })).rejects.toThrow('runs.key must be a secret key of 32 bytes')
  }))
