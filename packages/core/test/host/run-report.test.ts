// Limits of `bus.run`, and its report.
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { Bus } from '../../src/host/bus.js'
import type { RunOptions, RunReport } from '../../src/index.js'
import { next, reuseBus, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const sandboxes = choose(['permission', 'process', 'quickjs'] as const)
const getBus = reuseBus()
const run = async (source: string, options?: RunOptions & { report?: true }): Promise<unknown> =>
  (await getBus()).run(source, options as RunOptions)

describe.each(sandboxes)('sandbox: %s', sandbox => {
  test('the report of code that returns has its value, its output and its calls', async () => {
    const bus = await getBus()
    const source = `console.log('a'); console.log('b\\nc'); await invoke('add', args); return invoke('add', args)`
    const report = await bus.run<number>(source, { sandbox, report: true, allow: ['add'], args: { a: 1, b: 2 } })
    const logs = ['a', 'b', 'c'].map(text => ({ stream: 'stdout', text }))
    expect(report).toEqual({ value: 3, logs, calls: 2, error: undefined })
  })

  test('the report of code that throws has the error', () =>
    rows<[string, object]>([
      ['\n\n  throw new TypeError("no")', { reason: 'CommandFailed', message: 'no', name: 'TypeError', line: 3 }],
      ['\n  a b', { reason: 'LoadFailed', line: 2, column: 5 }],
      ['throw "text"', { reason: 'CommandFailed', data: 'text' }],
      ['throw { code: 5 }', { reason: 'CommandFailed', message: 'The code threw {"code":5}', data: { code: 5 } }],
      ['\nawait invoke("add", {})', { reason: 'Denied', line: 2 }],
      ['await invoke("fails").catch(() => {})\n\nawait invoke("fails")', { reason: 'CommandFailed', line: 3 }],
      ['const fail = async () => {\n  await notes.fail()\n}\nawait fail()', { reason: 'CommandFailed', line: 2 }],
      ['await Promise.any([Promise.reject(new Error("one"))])', { message: expect.stringMatching(/./) as string }],
    ])(async (source, error) => {
      const fail = (): never => {
        throw new Error('down')
      }
      const report = await run(source, { sandbox, report: true, allow: ['fails'], functions: { notes: { fail } } })
      expect(report).toMatchObject({ value: undefined, logs: [], error })
    }))

  test('the report names the command whose error the code did not handle', () =>
    rows<[string, string?]>([
      ['await invoke("add", {})', 'add'],
      ['const help = async () => {\n  await notes.fail()\n}\nawait help()', 'notes.fail'],
      ['await invoke("fails").catch(() => {}); await notes.fail()', 'notes.fail'],
      [
        'const failed = notes.fail().catch(error => error); await invoke("fails").catch(() => {}); throw await failed',
        'notes.fail',
      ],
      ['await Promise.all([notes.add(), invoke("fails")])', 'fails'],
      ['for await (const value of stream("add", {})) value', 'add'],
      ['await notes.fail().catch(() => {}); throw new Error("down")'],
      ['await notes.fail().catch(cause => { throw new Error("own", { cause }) })'],
      ['await notes.fail().catch(error => { throw Object.assign(new Error("own"), error) })'],
      ['await notes.fail().catch(() => {}); throw "text"'],
    ])(async (source, command) => {
      const fail = (): never => {
        throw new Error('down')
      }
      const options = { sandbox, allow: ['fails'], functions: { notes: { fail, add: () => 1 } } }
      const { error } = (await run(source, { ...options, report: true })) as { error: { command?: string } }
      expect(error.command).toBe(command)
    }))

  test('code sees the message of what a command throws, and nothing else of it', async () => {
    const source = `const error = await invoke('fails').catch(error => error)
      return [error.message !== '', error.cause === undefined, Object.keys(error).filter(key => !['name', 'code', 'reason', 'data'].includes(key))]`
    expect(await run(source, { sandbox, allow: ['fails'] })).toEqual([true, true, []])
  })

  test('a run ends after the calls that its code did not await, and those that they lead to', async () => {
    const done: unknown[] = []
    let release = (): void => {}
    const released = new Promise<void>(resolve => (release = resolve))
    const send = async ({ to }: { to: string }): Promise<void> => {
      if (to === 'c') setImmediate(release)
      await released
      done.push(to)
    }
    const source = `['a', 'b', 'c'].forEach(async to => { await mail.send({ to }); await mail.send({ to: to + to }) })
      return 'all sent'`
    expect(await run(source, { sandbox, functions: { mail: { send } } })).toBe('all sent')
    expect(done).toEqual(['a', 'b', 'c', 'aa', 'bb', 'cc'])
  })

  test('a rejection that nobody handled is beside the value in the report, and fails a run without one', async () => {
    const source = `notes.fail(); await notes.add(); Promise.reject(new RangeError('far')); return 'done'`
    const fail = (): never => {
      throw new Error('down')
    }
    const options = { sandbox, functions: { notes: { fail, add: () => 1 } } }
    const report = (await run(source, { ...options, report: true })) as RunReport
    expect(report).toMatchObject({ value: 'done', error: undefined })
    expect(report.unhandled?.map(error => error.message).toSorted()).toEqual(['down', 'far'])
    await expect(run(source, options)).rejects.toMatchObject({ reason: 'CommandFailed' })
    const handled = [
      `notes.fail().catch(() => {}); return 'done'`,
      `const failing = notes.fail(); await notes.add(); try { await failing } catch {} return 'done'`,
    ]
    for (const each of handled) expect(await run(each, options)).toBe('done')
  })

  test('a run that is late names the calls that had not ended', async () => {
    const controller = new AbortController()
    let calls = 0
    const wait = (): Promise<never> => {
      if (++calls === 2) controller.abort(new DOMException('late', 'TimeoutError'))
      return new Promise(() => {})
    }
    const options = { sandbox, signal: controller.signal, functions: { notes: { wait } } }
    const report = await run('notes.wait(); notes.wait(); return 1', { ...options, report: true })
    const message = expect.stringMatching(/\. Calls that had not ended: "notes\.wait", "notes\.wait"$/) as string
    expect(report).toMatchObject({ error: { reason: 'Timeout', message } })
    expect(report).not.toHaveProperty('unhandled')
  })

  // A line of the host's own files is not one of the code.
  test('the report has no line if the error has no place in the code', () =>
    rows(['throw "text"', 'return () => 1', 'throw Object.assign(new Error("no"), { stack: "no" })'])(async source => {
      const { error } = (await run(source, { sandbox, report: true })) as { error: object }
      expect(Object.keys(error)).not.toContain('line')
    }))

  test('a call beyond the limit rejects in the code', async () => {
    const source = `const add = () => invoke('add', { a: 1, b: 2 }); await add(); await notes.count(); await emit('x')
      return add().catch(error => [error.reason, error.message, error.data])`
    const options = { sandbox, allow: ['add'], limits: { calls: 2 }, functions: { notes: { count: () => 1 } } }
    const data = { code: 'CALLS_SPENT', limit: 'calls', max: 2 }
    expect(await run(source, options)).toEqual(['Overloaded', 'The code made more than 2 calls', data])
  })
})

test('code in QuickJS that nothing can let go on fails at once', () =>
  rows<[string, string?]>([
    ['await new Promise(() => {})', 'nothing can end'],
    [
      'await invoke("add", { a: 1, b: 2 }); clearTimeout(setTimeout(() => {}, 1e6)); await new Promise(() => {})',
      'nothing can end',
    ],
    ['await new Promise(resolve => setTimeout(resolve, 1))'],
    ['await new Promise(resolve => listen("x", resolve).then(() => emit("x")))'],
    ['const got = sallyport.once("x"); await emit("x"); await got'],
    ['await new Promise(resolve => notes.add().then(resolve))'],
  ])(async (source, text) => {
    const running = run(source, { allow: ['add'], timeout: false, functions: { notes: { add: () => 1 } } })
    if (text === undefined) return running
    await expect(running).rejects.toThrow(text)
  }))

test('of a rejection that cannot be read within the limits of its script, the limit is reported', async () => {
  const sandbox = { kind: 'quickjs', memory: 3 } as const
  const source = 'Promise.reject(Array(2e4).fill({})); return 1'
  const limit = { reason: 'Crashed', data: { limit: 'memory', max: 3 } }
  await expect(run(source, { sandbox })).rejects.toMatchObject(limit)
  expect(await run(source, { sandbox, report: true })).toMatchObject({ value: 1, unhandled: [limit] })
})

test('a result beyond the limit rejects', () =>
  rows(['json', 'msgpack'] as const)(async codec => {
    const max = codec === 'json' ? 12 : 11
    const limits = { resultBytes: max }
    const bus = await start({ codec })
    expect(await bus.run('return "0123456789"', { limits })).toBe('0123456789')
    await expect(bus.run('return "0123456789a"', { limits })).rejects.toMatchObject({
      reason: 'Overloaded',
      message: `The result of bus.run has ${max + 1} bytes, more than ${max}`,
      data: { limit: 'resultBytes', max },
    })
  }))

test('output beyond the limit is dropped, for the report and for onStdio', async () => {
  let output = ''
  const options = { limits: { consoleBytes: 5 }, onStdio: (text: string) => void (output += text) }
  const source = `console.log('äää'); for (let n = 0; n < 1000; n++) console.log(n)`
  const note = 'The rest of the output was dropped: it is limited to 5 bytes'
  const report = await run(source, { ...options, report: true })
  expect(report).toMatchObject({ logs: ['ää', note].map(text => ({ stream: 'stdout', text })) })
  expect(output).toBe(`ää\n${note}\n`)
})

test('the report of code that is late has the reason. A run that its host cancels rejects', async () => {
  const bus = await getBus()
  const late = await bus.run('await listen("x", () => {}); await new Promise(() => {})', { report: true, timeout: 1 })
  expect(late.error).toEqual({
    reason: 'Timeout',
    message: expect.stringMatching(
      /^bus\.run took longer than 1 ms(: its sandbox had not started\. Pass a longer `timeout`)?$/,
    ),
  })
  const controller = new AbortController()
  const started = next(bus, 'started')
  const running = bus.run('await listen("x", () => {}); await emit("started"); await new Promise(() => {})', {
    report: true,
    signal: controller.signal,
  })
  await started
  controller.abort()
  await expect(running).rejects.toMatchObject({ reason: 'Cancelled' })
})

test('with a report, code cannot make the run reject', async () => {
  const source = `throw new sallyport.BusError('InvalidParams', 'Arguments of "bus.run" cannot be serialized')`
  async function* items() {}
  for (const args of [{}, { items: items() }, { channel: new Channel() }])
    expect(await run(source, { args, report: true })).toMatchObject({ error: { reason: 'InvalidParams' } })
})

test('a report does not hide wrong options', () =>
  rows<[object, string]>([
    [{ limits: { calls: -1 } }, 'bus.run: limits.calls must be a whole number from 0'],
    [{ limits: { resultByte: 1 } }, 'bus.run: unknown option "limits.resultByte" (did you mean "resultBytes"?)'],
    [{ report: 1 }, 'bus.run: report must be true or false'],
    [{ sandbox: 'none' }, 'bus.run: sandbox must not be "none"'],
    [{ args: { f: () => 1 } }, 'Arguments of "bus.run" cannot be serialized'],
    [{ args: { text: 'x'.repeat(2 ** 24) } }, 'over the limit of 16777216'],
    [{ args: JSON.parse('{"__proto__": 1}') as object }, 'a key named "__proto__" is refused'],
    [{ allow: ['nope'] }, 'nope'],
    [{ signal: AbortSignal.abort() }, 'cancelled'],
  ])(async (options, text) => {
    await expect(run('', { report: true, ...options })).rejects.toThrow(text)
  }))

test('code beyond a limit ends with the limit', () =>
  rows([
    ['time', 'for (;;);', { time: 1 }, 1],
    ['memory', 'const all = []; for (;;) all.push("x".repeat(1000) + all.length)', { memory: 2 }, 2],
    // The engine has no memory for another error, and throws null.
    ['memory', 'let last; for (;;) last = Object.assign(new Error("x"), { last })', { memory: 4 }, 4],
  ])(async (limit, source, limits, max) => {
    await expect(run(source, { limits })).rejects.toMatchObject({ reason: 'Crashed', data: { limit, max } })
  }))

test('wrong limits are refused', () =>
  rows<[string, RunOptions]>([
    [
      'sandbox "process" has no limits.time. Use "quickjs", or set timeout',
      { sandbox: 'process', limits: { time: 1 } },
    ],
    ['limits.time must be whole milliseconds, from 1 to 5000', { limits: { time: 0.5 } }],
  ])(async (text, options) => {
    const error = { reason: 'InvalidParams', message: expect.stringContaining(text) as string }
    await expect(run('return 1', options)).rejects.toMatchObject(error)
  }))

test('an event says why a run has failed, and that its code can have begun', async () => {
  const bus = await start()
  const failed: unknown[] = []
  Bus.getHost(bus).reporter.on('runFailed', ({ reason, wasCalled }) => failed.push([reason, wasCalled]))
  for (const source of ['throw new Error("no")', 'a b'])
    await bus.run(source, { sandbox: 'permission' }).catch(() => {})
  expect(failed).toEqual([
    ['CommandFailed', true],
    ['LoadFailed', true],
  ])
})
