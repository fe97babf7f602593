import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type ScriptThread, THREAD_TIME_FILE } from '@sallyport/protocol/internal/contract'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { Frame, Link } from '@sallyport/protocol/internal/wire'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { Machine, type MachineEvents } from './script-host/machine.js'
import { writeSnapshot } from './script-host/vm-image.js'
import { prepareVms } from './script-host/vm-pool.js'
import { loadScript, prepare } from './index.js'

const engine = { memory: 32, time: 60_000 }
const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

const client = { label: 'main', codec: 'json', maxInFlight: 1, overflow: 'wait' } as const
const createThread = (print: ScriptThread['print'] = () => {}): ScriptThread => ({
  print,
  synchronized() {},
  answered() {},
  unsent() {},
  unhandled() {},
})

/** A link on which nothing arrives. */
const createLink = (): Link => openLink(createLinkEndpoints('local')[0], false)

async function load(text: string, time = engine.time, onPrint = () => {}, link = createLink()) {
  const printed: string[] = []
  const module = { name: 'main.js', text, directory: '/' }
  const script = await loadScript('file:///main.js', module, undefined, { engine: { ...engine, time } })
  stops.push(() => script.stop())
  const print = (_stream: string, line: string): void => {
    printed.push(line)
    onPrint()
  }
  const run = (onFault: (error: Error) => void = () => {}): Promise<void> =>
    script.run(link, client, createThread(print), onFault)
  /** Resolves with the error that ends the script. */
  const runToEnd = (): Promise<unknown> => new Promise(resolve => void run(resolve).catch(resolve))
  return { script, printed, run, runToEnd }
}

test('what the host has answered is freed while the script goes on', async () => {
  const text = 'const bytes = new Uint8Array(65_536); for (let n = 0; n < 1000; n++) crypto.getRandomValues(bytes)'
  const { run, printed } = await load(`${text}; console.log("runs")`)
  await run()
  expect(printed).toEqual(['runs\n'])
})

test('the clock of a script begins with it, whenever its image was made', async () => {
  const code =
    'const { timeOrigin } = performance; console.log([timeOrigin, timeOrigin + performance.now(), Date.now()])'
  const [before, script] = [await load(code), await load(code)]
  const times: number[] = []
  for (const { run, printed } of [before, script]) {
    await run()
    times.push(...(JSON.parse(printed.join('')) as number[]))
  }
  const [, ended = NaN, , begun = NaN, now = NaN, time = NaN] = times
  expect(begun).toBeGreaterThanOrEqual(ended)
  // Two clocks of the host stand behind them, which can differ by some milliseconds.
  expect(Math.abs(time - now)).toBeLessThan(1000)
})

test('a script that is stopped while it waits for its VM never runs', async () => {
  await prepare()
  const { script, run, printed } = await load('console.log("runs")')
  void run()
  script.stop()
  // Another script gets its VM later.
  const later = await load('')
  await later.run()
  expect(printed).toEqual([])
})

test('a script that is stopped while its snapshot is read does not go on', async () => {
  const machine = await Machine.start(engine)
  machine.connect({ waits() {}, lasts() {}, isTerminated: () => false } as Partial<MachineEvents> as MachineEvents)
  machine.begin(JSON.stringify({ ...client, seed: [1, 2, 3, 4] }), undefined)
  const snapshot = await writeSnapshot(machine.capture()!, (await prepareVms()).snapshot.memory)
  machine.dispose()
  const receive = vi.fn<Link['receive']>()
  const start = async () => {
    const options = { engine, snapshot }
    const script = await loadScript('file:///main.js', { name: 'main.js', text: '' }, undefined, options)
    stops.push(() => script.stop())
    return { script, running: script.run(Object.assign(createLink(), { receive }), client, createThread(), () => {}) }
  }
  const { script } = await start()
  script.stop()
  // Another one goes on later.
  const later = await start()
  await later.running
  expect(receive).toHaveBeenCalledOnce()
})

test('a message of a script that would take more than its memory ends it before it is parsed, and no other script', () => {
  /** 800,000 values. */
  const bomb = "JSON.stringify = () => '[' + '{},'.repeat(4e5) + '1]';"
  return rows({
    uuid: `${bomb} crypto.randomUUID()`,
    print: `${bomb} console.log(1)`,
    wake: `${bomb} setTimeout(() => {})`,
    url: `${bomb} new URL('http://a')`,
    fault: `queueMicrotask(() => { ${bomb} throw new Error('x') })`,
    'load-error': `${bomb} throw new Error('x')`,
    describe: `Promise.reject(new Error('x')); ${bomb}`,
    'many rejections': "for (let n = 0; n < 1000; n++) Promise.reject({ text: 'x'.repeat(1e4) })",
    query: "new URLSearchParams('&a'.repeat(4e5))",
    decode: "new TextDecoder('utf-16le').decode(new Uint8Array(9e6))",
  })(async text => {
    const parse = vi.spyOn(JSON, 'parse')
    onTestFinished(() => parse.mockRestore())
    const [attacker, neighbor] = [await load(text), await load('console.log(1)')]
    const ends = await attacker.runToEnd()
    expect(ends).toMatchObject({ reason: 'Crashed', data: { limit: 'memory', max: 32 } })
    expect(Math.max(...parse.mock.calls.map(([json]) => json.length))).toBeLessThan(1e6)
    parse.mockRestore()
    await neighbor.run()
    expect(neighbor.printed).toEqual(['1\n'])
  })
})

test('a text with more marks in a row than the engine sorts soon is refused, whoever changes RegExp', async () => {
  const text = `RegExp.prototype.exec = () => null
    const attempt = run => { try { return run() } catch (error) { return error.name } }
    const many = '\u0323\u0301'.repeat(3e5)
    const all = [() => many.normalize('NFD'), () => 'a'.localeCompare(many), () => '\uff9e\u0301'.repeat(3e5).normalize('NFKC')]
    console.log([...all.map(attempt), 'e\u0301'.repeat(1e5).normalize().length, 'a'.localeCompare('b')].join())`
  const { run, printed } = await load(text)
  await run()
  expect(printed).toEqual(['RangeError,RangeError,RangeError,100000,-1\n'])
})

test('a long line is cut, whoever forges it', async () => {
  const { run, printed } = await load(
    'const { stringify } = JSON; JSON.stringify = () => stringify(["stdout", "x".repeat(1e6)]); console.log()',
  )
  await run()
  expect(printed.map(line => line.length)).toEqual([8193])
})

test('a script that is too long is refused', async () => {
  await expect(load(' '.repeat(16 * 2 ** 20 + 1))).rejects.toThrow('it is longer than 16777216 characters')
})

const knowsOwnTime = 'threadCpuUsage' in process || existsSync(THREAD_TIME_FILE)

test.runIf(knowsOwnTime)('time in which other threads run is not that of a script', async () => {
  const others = new Worker('for (;;);', { eval: true })
  stops.push(() => void others.terminate())
  await once(others, 'online')
  // While its host prints, the script waits.
  const wait = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40)
  const text = 'for (let line = 1; line <= 5; line++) { console.log(line); for (let turn = 0; turn < 1000; turn++); }'
  const { run, printed } = await load(text, 50, wait)
  await run()
  expect(printed).toHaveLength(5)
})

test('a module that never pauses ends with the limit, not with an interruption', async () => {
  const endless = await load('for (;;);', 50)
  await expect(endless.run()).rejects.toMatchObject({ data: { limit: 'time', max: 50 } })
})

describe('a client that closes while core has no room', () => {
  const COUNT = 5000
  const emitAll = `for (let n = 0; n < ${COUNT}; n++) sallyport.emit('e', ['x'.repeat(1000)])`
  const start = async (more = '') => {
    const sent: string[] = []
    const link = createLink()
    const send = ({ body }: Frame): unknown => sent.push(String(body))
    const room = (): Promise<never> => new Promise(() => {})
    const { script, run } = await load(`${emitAll};${more}`, undefined, undefined, Object.assign(link, { send, room }))
    await run()
    return { script, getCount: () => sent.join().split('x'.repeat(1000)).length - 1 }
  }

  test('sends what waits, however long that takes', async () => {
    const { script, getCount } = await start()
    await script.close()
    expect(getCount()).toBe(COUNT)
  })

  test('is not late for a loop of the script behind it', async () => {
    const { script, getCount } = await start("sallyport.listen('never', () => {}).catch(() => { for (;;); })")
    await script.close()
    expect(getCount()).toBe(COUNT)
  })

  test('says that what waits is lost if a limit ends it', async () => {
    const hold = "if (++calls > 200) for (let text = 'x';;) text += text; return push.apply(this, values)"
    const { script } = await start(
      `const { push } = Array.prototype; let calls = 0; Array.prototype.push = function (...values) { ${hold} }`,
    )
    await expect(script.close()).rejects.toMatchObject({ reason: 'Crashed', data: { unsent: 'unknown' } })
  })
})
