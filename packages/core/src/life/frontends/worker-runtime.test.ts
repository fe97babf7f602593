// @vitest-environment-options { "alone": "worker-runtime" }
// The wait for a module, in a thread that is busy itself.
import { EventEmitter } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { LifeContext } from '../judge.js'
import type { WorkerSpec } from '../thread.js'
import { ModuleLoad, WorkerRuntime, type WorkerRuntimeDeps } from './worker-runtime.js'

let isDebugged = false
let asked = 0
vi.mock('../watchdog.js', async importOriginal => ({
  ...(await importOriginal<object>()),
  isInspectorOpen: () => ++asked > 0 && isDebugged,
}))

const block = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

test('a module is late only if it was not evaluated in time, although this thread was busy', () =>
  rows([
    ['a module that was evaluated in time is not late', true, 'loaded'],
    ['a module that was not evaluated in time is late', false, 'Timeout'],
  ])(async (_what, isLoaded, outcome) => {
    const load = new ModuleLoad('main', true)
    const { port1, port2 } = new MessageChannel()
    port1.on('message', () => load.reach('loaded'))
    // The event loop begins with its timers next.
    await new Promise(setImmediate)
    const waiting = load.wait(20)
    if (isLoaded) port2.postMessage('loaded')
    block(50)
    expect(
      await waiting.then(
        () => 'loaded',
        ({ reason }: { reason: string }) => reason,
      ),
    ).toBe(outcome)
    load.reach('synchronized')
    port1.close()
  }))

test('a launcher is late until the process says something, and then its module', async () => {
  const load = new ModuleLoad('main', true)
  load.launcher = 'ssh'
  await expect(load.wait(1)).rejects.toThrow('frontend "main": its launcher "ssh" has not started the process')
  const begun = new ModuleLoad('main', true)
  begun.launcher = undefined
  await expect(begun.wait(1)).rejects.toThrow('frontend "main" did not evaluate its module within 1 ms')
})

test('a module has a deadline until core has what it has emitted, unless its caller has one', () =>
  rows([
    ['its caller has none', 1000, 1],
    ['its caller has one', undefined, 0],
  ])(async (_what, timeout, timers) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const load = new ModuleLoad('main', true)
    const late = vi.fn<() => void>()
    const waiting = load.wait(timeout).catch(late)
    expect(vi.getTimerCount()).toBe(timers)
    load.reach('loaded')
    await waiting
    expect(vi.getTimerCount()).toBe(timers)
    load.reach('synchronized')
    await waiting
    expect([vi.getTimerCount(), late.mock.calls.length]).toEqual([0, 0])
    const lateLoad = new ModuleLoad('main', true)
    void lateLoad.wait(timeout).catch(late)
    await vi.advanceTimersByTimeAsync(1001)
    expect(late).toHaveBeenCalledTimes(timers)
  }))

test('a module is not late while a debugger is attached', async () => {
  const onLate = vi.fn<() => void>()
  isDebugged = true
  asked = 0
  const waiting = new ModuleLoad('main', true).wait(1).catch(onLate)
  await expect.poll(() => asked).toBeGreaterThan(3)
  expect(onLate).not.toHaveBeenCalled()
  isDebugged = false
  await waiting
  expect(onLate).toHaveBeenCalledOnce()
})

/** A runtime whose threads are doubles: `spec` is what the host supervises. */
function createRuntime(hasProcess = false) {
  let spec!: WorkerSpec
  const worker = { post() {}, reload: async () => {}, life: { context: { goal: 'none' } } }
  const supervisor = { start: (given: WorkerSpec) => ((spec = given), worker) }
  const reporter = {
    reportThrottled: vi.fn<(name: string, event: object, more: number) => void>(),
    getEffects: () => ({}),
  }
  const deps = {
    ...{ label: 'main', module: new URL('file:///main.js'), terms: { effects: {} }, owners: [] },
    config: { sandbox: { hasProcess, wall: 'none', spawn: () => new EventEmitter() }, supervision: {}, loaded: true },
    host: { supervisor, reporter, core: { scripts: [] }, options: { calls: {}, dev: false, log: false } },
    events: {},
  }
  const runtime = new WorkerRuntime(deps as unknown as WorkerRuntimeDeps)
  return { runtime, spec, reporter }
}

test('an error is final for the first start, and for that of a reload, but not for the code that follows', async () => {
  const { runtime, spec } = createRuntime()
  const begin = (): boolean => {
    spec.spawn(undefined)
    const { isOpening } = runtime.load
    runtime.load.reach('loaded')
    runtime.load.reach('synchronized')
    return isOpening
  }
  expect([begin(), begin()]).toEqual([true, false])
  await runtime.reload!()
  expect([begin(), begin()]).toEqual([true, false])
})

test('a host that is denied is reported by a relay, and by no thread, whose code could have made it up', () =>
  rows([
    ['a relay', true, [['denied', { label: 'main', command: 'net a.example:80', hint: 'Allow it' }, 2]]],
    ['a thread', false, []],
  ])((_what, hasProcess, reported) => {
    const { spec, reporter } = createRuntime(hasProcess)
    spec.onReport({ type: 'net-denied', host: 'a.example:80', hint: 'Allow it', more: 2 })
    expect(reporter.reportThrottled.mock.calls).toEqual(reported)
  }))

test('code that ends before it takes its next link ends those that it has not closed, too', async () => {
  const { runtime, spec } = createRuntime()
  runtime.load = new ModuleLoad('main', true)
  const links = Array.from({ length: 3 }, () => createLinkEndpoints('ring', 'never'))
  const closed = links.map(() => vi.fn<() => void>())
  links.forEach(([, far], at) => openLink(far, false).receive({ frame() {}, closed: closed[at]! }))
  const [first, second, third] = links.map(([near]) => near)
  runtime.connect(first!)
  runtime.connect(second!)
  openLink(second!, true).close()
  await expect.poll(() => closed[1]).toHaveBeenCalled()
  runtime.connect(third!)
  expect(closed.map(({ mock }) => mock.calls.length)).toEqual([0, 1, 0])
  for (const { exit } of spec.effects!) exit?.({ goal: 'stop' } as LifeContext)
  await expect.poll(() => closed.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1])
})
