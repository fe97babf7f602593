// @vitest-environment-options { "alone": "relay-stop" }
// The end of a process that its relay asks to stop, or whether it runs, on a clock of the test's own: the process is a double.
import { PassThrough } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { getMemberStreams, type LifecycleState } from '@sallyport/protocol/internal/contract'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { NodeProcess } from './node-process.js'
import { runRelay } from './run-relay.js'

const usage = { cpu: 0, sleeps: false }
let printed = 0
let started: NodeProcess

vi.mock('./node-process.js', async importOriginal => ({
  ...(await importOriginal<object>()),
  startProcess: () => started,
}))
vi.mock('../child/limits.js', async importOriginal => ({
  ...(await importOriginal<object>()),
  readMainThreadsCpu: () => usage.cpu,
  createProcessTime: () => {
    let [last, total] = [usage.cpu, 0]
    return (turn: number) => {
      total += usage.sleeps ? turn : usage.cpu - last
      last = usage.cpu
      return total
    }
  },
}))

afterEach(() => void vi.useRealTimers())

const FIRST = {
  type: 'start',
  name: 'it',
  start: new Uint8Array(),
  heartbeat: undefined,
  network: undefined,
} as const

/** Starts a relay, whose process has sent these reports. */
async function start(...states: LifecycleState[]) {
  const [down, up] = [new PassThrough(), new PassThrough()]
  const exited = createDeferred<Awaited<NodeProcess['exited']>>()
  const kill = vi.fn<() => void>(() =>
    exited.resolve({ code: null, signal: 'SIGKILL', wasKilled: true, limit: undefined }),
  )
  started = {
    child: { pid: 1, watch() {}, kill },
    streams: new StreamMultiplexer(up, down, { closed() {} }),
    countPrinted: () => printed,
    exited: exited.promise,
    released: Promise.resolve(),
  }
  let command!: (message: unknown) => void
  let terminate!: () => void
  const onExit = vi.fn<(code: number) => void>()
  const received: unknown[] = []
  const host = {
    postMessage: (message: unknown) => void received.push(message),
    onMessage: (handle: typeof command) => void (command = handle),
    onTerminate: (handle: () => void) => void (terminate = handle),
    setBusy() {},
    isTerminated: () => false,
    failThread() {},
    fail() {},
    exit: onExit,
  }
  const launch = { command: '', args: [] }
  const shared = new SharedArrayBuffer(16)
  const data = {
    start: FIRST,
    launch,
    isElsewhere: false,
    temporary: '',
    env: {},
    limits: {},
    usage: shared,
  }
  const running = runRelay(host, data)
  const streams = new StreamMultiplexer(down, up, { closed() {} })
  const process = new StreamLink(streams.open(getMemberStreams(0).control))
  const report = async (state: LifecycleState): Promise<void> => {
    const count = received.length
    process.send({
      kind: FRAME_KIND.json,
      body: JSON.stringify({ type: 'message', message: { type: 'state', state } }),
    })
    await expect.poll(() => received.length).toBeGreaterThan(count)
  }
  for (const state of states) await report(state)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
  /** Lets time pass, for a share of which the process has a core. It sleeps, or is stopped or waits for one otherwise. */
  const run = (ms: number, share = 1, sleeps = false): void => {
    usage.sleeps = sleeps
    for (let at = 0; at < ms; at++) {
      usage.cpu += share
      vi.advanceTimersByTime(1)
    }
  }
  /** The process exits, unless it was killed. */
  const end = async (signal: NodeJS.Signals | null = null): Promise<void> => {
    vi.useRealTimers()
    exited.resolve({ code: signal ? null : 0, signal, wasKilled: false, limit: undefined })
    await running
    expect(onExit).toHaveBeenCalledOnce()
  }
  const ask = (): void => command({ type: 'ask' })
  const stop = (timeout = 0): void => command({ type: 'stop', timeout })
  return { stop, terminate: () => terminate(), ask, report, received, kill, run, end }
}

test('a process that runs on is killed after 20 ms of its running time', async () => {
  const { stop, kill, run, end } = await start('ready')
  run(500)
  stop()
  run(19)
  expect(kill).not.toHaveBeenCalled()
  run(2)
  expect(kill).toHaveBeenCalledOnce()
  await end()
})

test('the time of the close comes first', async () => {
  const { stop, kill, run, end } = await start('ready')
  stop(1000)
  run(1019)
  expect(kill).not.toHaveBeenCalled()
  run(20)
  expect(kill).toHaveBeenCalledOnce()
  await end()
})

test('a process that does not take the order has 250 ms in which it could run, and one that has stopped a second', () =>
  rows([
    ['it has not started', ['booting'], 1, false, 250],
    ['it waits for something', ['ready'], 0, true, 250],
    ['it has stopped', ['ready', 'draining', 'stopped'], 0, true, 1000],
  ] as const)(async (_what, states, share, sleeps, limit) => {
    const { stop, kill, run, end } = await start(...states)
    stop()
    run(limit - 10, share, sleeps)
    expect(kill).not.toHaveBeenCalled()
    // What has arrived by then is read first.
    run(limit / 4 + 20, share, sleeps)
    expect(kill).toHaveBeenCalledOnce()
    await end()
  }))

test('a process that cannot run has a minute, and one whose frames core does not take any time', () =>
  rows([
    ['it is stopped', ['ready'], false, 60_000],
    ['it is stopped before it has started', ['booting'], false, 60_000],
    ['it is stopped at its end', ['ready', 'stopped'], false, 60_000],
    ['core is stopped', ['ready', 'draining'], true, Infinity],
  ] as const)(async (_what, states, sleeps, limit) => {
    const { stop, kill, run, end } = await start(...states)
    stop()
    run(59_000, 0, sleeps)
    expect(kill).not.toHaveBeenCalled()
    run(20_000, 0, sleeps)
    expect(kill).toHaveBeenCalledTimes(limit === Infinity ? 0 : 1)
    await end()
  }))

test('a process that still writes what it has printed has its time again, ten times', () =>
  rows([
    ['one that runs on', ['ready'], 21],
    ['one that has stopped', ['ready', 'stopped'], 990],
  ] as const)(async (_what, states, each) => {
    const { stop, kill, run, end } = await start(...states)
    stop()
    for (let time = 0; time < 11; time++) {
      expect(kill).not.toHaveBeenCalled()
      printed++
      run(each)
    }
    run(each)
    expect(kill).toHaveBeenCalledOnce()
    await end()
  }))

test('a process that answers in time is not killed', async () => {
  const { stop, report, kill, run, end } = await start('ready')
  stop()
  run(15)
  vi.useRealTimers()
  await report('draining')
  await report('stopped')
  await end()
  expect(kill).not.toHaveBeenCalled()
})

test('a process that is ended while it drains can have lost something, whoever ends it', () =>
  rows([
    ['the host', true],
    ['a service manager', false],
  ])(async (_who, isHost) => {
    const { stop, terminate, received, end } = await start('ready', 'draining')
    stop()
    if (isHost) terminate()
    await end('SIGTERM')
    expect(received.at(-1)).toMatchObject({ state: 'failed', error: { reason: 'Timeout', unsent: 'unknown' } })
  }))

test('a process that does not answer a question is killed', async () => {
  const { ask, kill, run, end } = await start('ready')
  ask()
  run(4999)
  expect(kill).not.toHaveBeenCalled()
  run(30_000, 0)
  expect(kill).not.toHaveBeenCalled()
  run(2000)
  expect(kill).toHaveBeenCalledOnce()
  await end()
})

test('a process that has failed is killed once it prints nothing for a second, and after eleven in any case', () =>
  rows([
    ['nothing', 0, 1000],
    ['for three seconds', 3000, 4000],
    ['without an end', Infinity, 11_000],
  ] as const)(async (_what, prints, ends) => {
    const { kill, report, end } = await start('ready')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await report('failed')
    usage.sleeps = true
    for (let at = 500; at < ends; at += 500) {
      if (at < prints) printed++
      await vi.advanceTimersByTimeAsync(500)
      await nextTurn()
    }
    expect(kill).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(500)
    await nextTurn()
    expect(kill).toHaveBeenCalledOnce()
    await end()
  }))
