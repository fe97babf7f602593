// `bus.run`: what the code has, what it returns and throws, how it ends, and what is left of it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { createUnsentError } from '@sallyport/protocol/internal/errors'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type Bus,
  type Channel as ServerChannel,
  defineCore,
  isCommandError,
  type RunOptions,
} from '../../src/index.js'
import type { Launcher } from '../../src/launchers.js'
import { Frontend } from '../../src/life/frontends/frontend.js'
import { writeProject } from '../support/project.js'
import { everyCommand, fixture, isolation, next, reuseBus, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const sandboxes = [
  ['permission', 'permission'],
  ['process', 'process'],
  ['quickjs', 'quickjs'],
  ['quickjs in a process', { kind: 'quickjs', process: true }],
] as const

/** What QuickJS says where V8 has other words. */
const QUICKJS_TEXTS: Readonly<Record<string, unknown>> = {
  'null.x': { reason: 'CommandFailed', message: "cannot read property 'x' of null" },
  'return 1 }, async () => { return 2': {
    reason: 'LoadFailed',
    message: expect.stringMatching(/run\.js:1:11: .*','/) as string,
  },
  '1\n  a b': { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:2:5: .*expecting ';'/) as string },
  'a b': { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:1:3: .*expecting ';'/) as string },
  'import x from "y"': {
    reason: 'LoadFailed',
    message: expect.stringMatching(/run\.js:1:8: .*identifier 'x'/) as string,
  },
}
/** Kinds whose code is no module of Node's, and finds the client as a global. */
const isScript = (name: string): boolean => name.startsWith('quickjs')
const getBus = reuseBus()

const run = async (source: string, options?: RunOptions): Promise<unknown> => (await getBus()).run(source, options)

const getError = (running: Promise<unknown>): Promise<unknown> => running.then(String, (error: unknown) => error)

/** Lists the frontends that a bus has. */
async function listLeft(bus: Bus): Promise<string[]> {
  return Object.keys((await bus.stats()).frontends)
}

test('an error of its arguments names bus.run', async () => {
  const message = expect.stringMatching(
    /^Arguments of "bus\.run" cannot be serialized as json: f is a function/,
  ) as string
  await expect(run('', { args: { f: () => 1 } })).rejects.toMatchObject({ reason: 'InvalidParams', message })
})

test('code is loaded and synchronized at once: nobody waits for what it has emitted', async () => {
  const bus = await start({ core: fixture('core.mjs') })
  const steps: string[] = []
  const watch = (message: unknown): void => {
    const { worker } = message as { worker: Worker }
    worker.on('message', ({ type }: { type: string }) => isStep(type) && steps.push(type))
  }
  const isStep = (type: string): boolean => type === 'loaded' || type === 'synchronized'
  subscribe('worker_threads', watch)
  try {
    expect(await bus.run('return 1', { sandbox: 'permission' })).toBe(1)
  } finally {
    unsubscribe('worker_threads', watch)
  }
  expect(steps).toEqual(['loaded', 'synchronized'])
})

test('a misspelt option is corrected', () =>
  rows([
    ['signl', 'signal'],
    ['arg', 'args'],
    ['labl', 'label'],
    ['timeuot', 'timeout'],
  ])(async (name, option) => {
    const message = `bus.run: unknown option "${name}" (did you mean "${option}"?)`
    await expect(run('', { [name]: 1 })).rejects.toMatchObject({ reason: 'InvalidParams', message })
  }))

test('a denial names the option of bus.run, and no label that was made up', async () => {
  const bus = await getBus()
  const hints: string[] = []
  const stop = bus.on('denied', ({ hint }) => hints.push(hint))
  const code = 'await invoke("add", { a: 1, b: 2 })'
  for (const options of [{}, { allow: [] }, { label: 'mine' }]) await bus.run(code, options).catch(() => {})
  await expect.poll(() => hints).toHaveLength(3)
  stop()
  const inOption = 'add "add" to the option "allow" of bus.run'
  const inCapability = 'add "allow-add" to the permissions of a capability whose windows match'
  expect(hints).toEqual([`${inOption}, or ${inCapability} "run-*"`, inOption, `${inOption}, or ${inCapability} "mine"`])
})

describe.each(choose(sandboxes, 2))('sandbox: %s', (name, sandbox) => {
  test('the code has its arguments, its data and the client, and its value is returned', async () => {
    const data = isScript(name) ? 'sallyport.data' : `(await import('@sallyport/frontend')).getData()`
    const source = `return [args, await invoke('add', args), ${data}, typeof stream, typeof console.log]`
    const options = { args: { a: 1, b: 2 }, data: ['data'], allow: ['add'] }
    expect(await run(source, { sandbox, ...options })).toEqual([{ a: 1, b: 2 }, 3, ['data'], 'function', 'function'])
  })

  test('the code can receive the messages of a channel', async () => {
    const code = `const channel = new Channel(); await invoke('count', { to: 2, channel }); const first = []
      for await (const value of channel) if (first.push(value) === 2) break
      return first`
    const bus = await start({
      core: defineCore({
        commands: {
          count: async ({ to, channel }: { to: number; channel: ServerChannel }) => {
            for (let n = 1; n <= to; n++) await channel.send(n)
          },
        },
      }),
    })
    expect(await bus.run(code, { sandbox, allow: ['count'] })).toEqual([1, 2])
  })

  test('the code emits and hears events', async () => {
    const bus = await getBus()
    const heard = next(bus, 'heard')
    const source = `const answered = new Promise(resolve => listen('answer', ({ payload }) => resolve(payload)).then(() => emit('heard', 1)))
      return answered`
    const result = bus.run(source, { sandbox })
    expect(await heard).toBe(1)
    await bus.emit('answer', 2)
    expect(await result).toBe(2)
  })

  test('code without a result returns null, and can have names of its own', async () => {
    expect(await run('', { sandbox })).toBe(null)
    expect(await run('const args = 1, invoke = 2; return args + invoke', { sandbox })).toBe(3)
    expect(await run('return 1 // a comment', { sandbox })).toBe(1)
  })

  test('an application error has its code and its data', async () => {
    const get = isScript(name) ? 'sallyport' : `await import('@sallyport/frontend')`
    const error: unknown = await run(
      `const { CommandError } = ${get}; throw new CommandError('BUSY', 'later', { data: { in: 5 } })`,
      {
        sandbox,
      },
    ).catch((thrown: unknown) => thrown)
    expect(isCommandError(error, 'BUSY')).toBe(true)
    expect(error).toMatchObject({ message: 'later', commandData: { in: 5 } })
  })

  test('the host gets all that the code prints', async () => {
    const output: string[] = []
    await run('console.log("a"); console.error("b"); console.log("c")', {
      sandbox,
      onStdio: (text, { stream }) =>
        void output.push(
          ...text
            .trim()
            .split('\n')
            .map(line => `${stream} ${line}`),
        ),
    })
    expect(output.toSorted()).toEqual(['stderr b', 'stdout a', 'stdout c'])
  })

  test('nothing is left of code that succeeds, throws, does not parse, or is late', async () => {
    const bus = await start({ frontends: { main: fixture('main.mjs') } })
    const before = await listLeft(bus)
    const events: unknown[] = []
    for (const name of ['fault', 'exited', 'failed', 'restart'] as const) bus.on(name, event => void events.push(event))
    const sources = [
      'listen("x", () => {}); return 1',
      'throw 1',
      'return (',
      'setTimeout(() => null.x); await new Promise(() => {})',
    ]
    for (const source of sources) {
      await bus.run(source, { sandbox }).catch(() => {})
      expect(await listLeft(bus)).toEqual(before)
    }
    await expect(
      bus.run('await listen("x", () => {}); await new Promise(() => {})', { sandbox, timeout: 1 }),
    ).rejects.toMatchObject({
      reason: 'Timeout',
      // A thread of scripts can have started by then, and a process has not.
      message: expect.stringMatching(
        /^bus.run took longer than 1 ms(: its sandbox had not started. Pass a longer `timeout`)?$/,
      ) as string,
    })
    expect(await listLeft(bus)).toEqual(before)
    expect(events).toEqual([])
  })

  test('its signal ends the code', async () => {
    const bus = await getBus()
    const controller = new AbortController()
    const started = next(bus, 'started')
    const result = bus.run('await listen("x", () => {}); emit("started"); await new Promise(() => {})', {
      sandbox,
      signal: controller.signal,
    })
    const failed = getError(result)
    await started
    controller.abort()
    expect(await failed).toMatchObject({ reason: 'Cancelled', message: 'bus.run was cancelled' })
    expect(await listLeft(bus)).toEqual([])
  })

  test('the isolation pattern judges its calls', async () => {
    const bus = await start(isolation('judge'))
    expect(await bus.run('return invoke("greet", args)', { sandbox, args: { name: 'x' } })).toBe('Hello, x!')
  })

  test('a development bus does not wait for a change after an error', async () => {
    const bus = await start({ dev: true })
    await expect(bus.run('setTimeout(() => null.x); await new Promise(() => {})', { sandbox })).rejects.toThrow(/null/)
    expect(await listLeft(bus)).toEqual([])
  })
})

test.each(choose(sandboxes, 1, 2))('code that fails rejects with the reason, sandbox: %s', (name, sandbox) =>
  rows([
    ['throw new Error("no idea")', { reason: 'CommandFailed', message: 'no idea' }],
    ['null.x', { reason: 'CommandFailed', message: "Cannot read properties of null (reading 'x')" }],
    ['throw "a text"', { reason: 'CommandFailed', data: 'a text' }],
    ['throw { a: 1 }', { reason: 'CommandFailed', data: { a: 1 } }],
    ['throw undefined', { reason: 'CommandFailed' }],
    ['await invoke("add", { a: 1, b: 2 })', { reason: 'Denied' }],
    ['await invoke("nope")', { reason: 'MethodNotFound' }],
    [
      'return () => {}',
      { reason: 'InternalError', message: expect.stringMatching(/result .* is a function/) as string },
    ],
    ['return NaN', { reason: 'InternalError', message: expect.stringMatching(/result .* is NaN/) as string }],
    ['setTimeout(() => { throw new Error("late") }); await new Promise(() => {})', { message: 'late' }],
    [
      'if (args) {',
      { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:1:12: .*Unexpected end of input/) as string },
    ],
    [
      'return 1 }, async () => { return 2',
      { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:1:11: .*Unexpected token ','/) as string },
    ],
    [
      '1\n}\n',
      { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:2:1: .*Unexpected token '}'/) as string },
    ],
    ['1\n  a b', { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:2:5: .*identifier 'b'/) as string }],
    ['a b', { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:1:3: .*identifier 'b'/) as string }],
    ['} async () => {', { reason: 'LoadFailed' }],
    ['import x from "y"', { reason: 'LoadFailed', message: expect.stringMatching(/run\.js:1:1: .*import/) as string }],
  ])(async (source, error) => {
    const expected = (name.startsWith('quickjs') && QUICKJS_TEXTS[source]) || error
    await expect(run(source, { sandbox })).rejects.toMatchObject(expected)
  }),
)

describe.each(choose(['permission', 'process'] as const))('sandbox: %s', sandbox => {
  test('code that exits rejects with how it ended', () =>
    rows([
      [
        'process.exit(0)',
        { reason: 'Disconnected', message: expect.stringContaining('it exited with code 0') as string },
      ],
      ['process.exit(3)', { reason: 'Crashed', message: expect.stringContaining('exited with code 3') as string }],
    ])(async (source, error) => {
      await expect(run(source, { sandbox })).rejects.toMatchObject(error)
    }))

  test('imports are relative to its directory', async () => {
    const directory = writeProject({ 'package.json': { type: 'module' }, 'helper.js': `export default 'helper'` })
    const source = `return (await import('./helper.js')).default`
    expect(await run(source, { sandbox, directory })).toBe('helper')
    await expect(run(source, { sandbox })).rejects.toThrow('it has no directory')
    await expect(run(source, { sandbox, directory: '/none' })).rejects.toThrow(
      'bus.run: directory: there is no directory /none/',
    )
  })
})

test('a process leaves no temporary files', async () => {
  const list = async (): Promise<string[]> => (await readdir(tmpdir())).filter(name => name.startsWith('sallyport-'))
  const before = new Set(await list())
  const during = await run('return process.cwd()', { sandbox: { kind: 'process', wall: 'none' } })
  expect(during).toMatch(/sallyport-/)
  expect((await list()).filter(name => !before.has(name) && String(during).endsWith(name))).toEqual([])
})

test('the output of a process that runs out of memory is that of its code', async () => {
  let output = ''
  const code = `console.error('before'); const kept = []; for (;;) kept.push(new Array(10_000).fill(kept.length))`
  const sandbox = { kind: 'process', wall: 'none' } as const
  const options = { sandbox, limits: { memory: 32 }, timeout: 60_000, onStdio: (text: string) => void (output += text) }
  await expect(run(code, options)).rejects.toThrow('ran out of memory')
  expect(output).toBe('before\n')
})

test('runs are concurrent, each with a label that no frontend can have', async () => {
  const bus = await getBus()
  const labels = await Promise.all(Array.from({ length: 3 }, () => bus.run('return sallyport.label')))
  expect(new Set(labels).size).toBe(3)
  for (const label of labels as string[]) {
    expect(label).toMatch(/^run-\d+$/)
    await expect(bus.open(label, fixture('main.mjs'))).rejects.toThrow('a label other than')
    await expect(bus.connect(label)).rejects.toThrow('a label other than')
  }
})

test('a label of its own belongs to one frontend at a time', async () => {
  const bus = await getBus()
  await bus.connect('agent')
  await expect(bus.run('', { label: 'agent' })).rejects.toThrow('Frontend "agent" already exists')
  expect(await listLeft(bus)).toEqual(['agent'])
  await bus.closeFrontend('agent')
  const first = bus.run('await listen("x", () => {}); await new Promise(() => {})', { label: 'agent' })
  await expect(bus.run('', { label: 'agent' })).rejects.toThrow(
    '"agent" already exists. It is a run that has not ended',
  )
  await bus.closeFrontend('agent')
  await first.catch(() => {})
  expect(await bus.run('return sallyport.label', { label: 'agent' })).toBe('agent')
  await expect(bus.run('', { label: 'run-1' })).rejects.toThrow('a label other than')
})

test('a capability for its label applies to it', async () => {
  const capability = { ...everyCommand, windows: ['run-*'] }
  const bus = await start({ capabilities: [capability] })
  expect(await bus.run('return invoke("greet", args)', { args: { name: 'x' } })).toBe('Hello, x!')
  await expect(bus.run('return invoke("greet", args)', { label: 'agent' })).rejects.toMatchObject({ reason: 'Denied' })
})

test('reload and restart never run it again', async () => {
  const bus = await getBus()
  const started: unknown[] = []
  await bus.listen('started', ({ payload }) => void started.push(payload))
  const first = next(bus, 'started')
  const result = bus.run('await listen("x", () => {}); emit("started", sallyport.label); await new Promise(() => {})', {
    label: 'once',
    timeout: false,
  })
  const failed = getError(result)
  await first
  await expect(bus.reload('once')).rejects.toThrow('"once" has no module to reload')
  await bus.reload('core')
  expect(await failed).toMatchObject({ reason: 'Disconnected' })
  expect(started).toEqual(['once'])
})

test('closing the bus rejects it, and a closed bus runs nothing', async () => {
  const bus = await start()
  const started = next(bus, 'started')
  const failed = getError(bus.run('await listen("x", () => {}); await emit("started"); await new Promise(() => {})'))
  await started
  await bus.close({ timeout: 0 })
  expect(await failed).toMatchObject({ reason: 'Disconnected' })
  await expect(bus.run('')).rejects.toMatchObject({
    reason: 'Disconnected',
    message: 'The bus was closed by bus.close()',
  })
})

test('the timeout of the bus is its default', async () => {
  const bus = await start({ calls: { timeout: 1 } })
  await expect(bus.run('await listen("x", () => {}); await new Promise(() => {})')).rejects.toThrow(
    'bus.run took longer than 1 ms',
  )
  expect(await bus.run('for (let n = 0; n < 1e6; n++); return 1', { timeout: false })).toBe(1)
})

test('a signal that has aborted starts nothing', async () => {
  const bus = await getBus()
  await expect(bus.run('', { signal: AbortSignal.abort() })).rejects.toMatchObject({ reason: 'Cancelled' })
})

test('refuses wrong code and options', () =>
  rows<[unknown, unknown, string]>([
    [1, {}, 'bus.run: the code: source must be a string: got 1'],
    ['', { sandbox: 'none' }, 'bus.run: sandbox must not be "none" for code as text.'],
    ['', { sandbx: 'quickjs' }, 'bus.run: unknown option "sandbx" (did you mean "sandbox"?)'],
    ['', { memory: 64 }, 'bus.run: unknown option "memory": it belongs at limits.memory'],
    ['', { args: [1] }, 'bus.run: args must be an object: got Array'],
    ['', { limits: { memory: 0 } }, 'bus.run: limits.memory must be more than 0 MiB'],
    ['', { timeout: -1 }, 'bus.run: timeout must be milliseconds'],
    ['', { signal: 1 }, 'bus.run: signal must be an AbortSignal'],
    ['', null, 'bus.run must be an object: got null'],
    ['', { args: { big: 1n } }, 'big is a BigInt, which JSON cannot represent'],
  ])(async (source, options, text) => {
    await expect(run(source as string, options as RunOptions)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text) as string,
    })
  }))

test('what code emits without an await has arrived when its run ends', () =>
  rows({ brownfield: {}, isolation: { isolation: {} } })(async options => {
    let count = 0
    const core = defineCore({ setup: app => void app.listen('e', () => (count += 1)) })
    const bus = await start({ core, ...options })
    const source = "for (let n = 0; n < 3000; n++) emit('e', 'x'.repeat(1000)); return 1"
    expect(await bus.run(source, { sandbox: 'quickjs', allow: '*' })).toBe(1)
    expect(count).toBe(3000)
  }))

test('core takes its time for the events of a run, which has its value and ends once core has them', async () => {
  let count = 0
  const word = new Int32Array(new SharedArrayBuffer(4))
  const listener = (): void => {
    count++
    Atomics.wait(word, 0, 0, 100)
  }
  const bus = await start({ core: defineCore({ setup: app => void app.listen('e', listener) }) })
  const source = "for (let n = 0; n < 30; n++) emit('e', 'x'.repeat(65_536)); return 1"
  expect(await bus.run(source, { sandbox: 'quickjs', allow: '*' })).toBe(1)
  expect(count).toBe(30)
})

test('a run whose sandbox has not started when its timeout is over says so, with the cure', async () => {
  const bus = await start({ core: defineCore({}) })
  const wall: Launcher = {
    name: 'hangs',
    launch: () => ({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1e9)'] }),
  }
  const running = bus.run('return 1', { sandbox: { kind: 'process', wall }, timeout: 1 })
  const message = 'bus.run took longer than 1 ms: its sandbox had not started. Pass a longer `timeout`'
  await expect(running).rejects.toMatchObject({ reason: 'Timeout', message })
})

test('what is lost after a run has returned is told, and takes nothing back', async () => {
  const bus = await start({ core: defineCore({}) })
  const faults: unknown[] = []
  bus.on('fault', fault => void faults.push(fault))
  const { close } = Frontend.prototype
  const lost = createUnsentError(7, 'frontend "job"')
  const lose = async function (this: Frontend, timeout?: number): Promise<Error> {
    await close.call(this, timeout)
    return lost
  }
  const spy = vi.spyOn(Frontend.prototype, 'close').mockImplementation(lose)
  onTestFinished(() => spy.mockRestore())
  expect(await bus.run('return 1', { label: 'job' })).toBe(1)
  expect(faults).toEqual([{ label: 'job', error: lost }])
  const told = [{ reason: 'Timeout', message: lost.message, data: { unsent: 7 } }]
  expect(await bus.run('return 1', { report: true })).toMatchObject({ value: 1, error: undefined, unhandled: told })
})
