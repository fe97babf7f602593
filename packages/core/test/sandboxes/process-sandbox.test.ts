// A frontend in a process of its own: however the process ends, its calls settle, the host lives on, and nothing is left.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus, type OnStdio, type ProcessSandbox } from '../../src/index.js'
import { everyCommand, fixture, isolation, next, start } from '../support/start.js'

const module = fixture('sandboxes/ends.mjs')
const linux = process.platform === 'linux'

/** Time for processes to start and exit on a busy machine. */
const POLL = { timeout: 20_000 }

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe.each([
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, everyCommand)],
])('a process that ends by %s', (name, app) => {
  let bus: Bus
  const faults: { label: string; error: Error }[] = []
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, app })
    bus.on('fault', fault => faults.push(fault))
  })
  afterAll(() => bus.close({ timeout: 0 }))

  async function end(how: string, limits: Partial<ProcessSandbox> = {}, kill?: NodeJS.Signals) {
    faults.length = 0
    const ready = next<{ pid: number }>(bus, 'ends-ready')
    await bus.open('main', module, { sandbox: { kind: 'process', ...limits } })
    const { pid } = await ready
    const directory = await bus.call<string>('main', 'cwd')
    const calls = [bus.call('main', 'never'), kill ? bus.call('main', 'never') : bus.call('main', 'ends', { how })]
    if (kill) process.kill(pid, kill)
    const settled = await Promise.all(calls.map(call => call.catch(({ reason }: { reason: string }) => reason)))
    expect(settled).toEqual(['Disconnected', 'Disconnected'])
    await expect.poll(() => [isAlive(pid), existsSync(directory)], POLL).toEqual([false, false])
    await expect
      .poll(() => bus.closeFrontend('main').then(String, String), POLL)
      .toContain('There is no frontend "main"')
    return faults.map(({ label, error }) => `${label}: ${error.message}`)
  }

  const failures: [string, RegExp, Partial<ProcessSandbox>?][] = [
    ['exit', /^main: frontend "main" exited with code 3$/],
    ['abort', /^main: The frontend process was terminated by SIGABRT$/],
    ['throw', /^main: uncaught$/],
    ['reject', /^main: unhandled$/],
    ['says that it fails', /^main: The frontend process was terminated by SIGABRT$/],
    ['heap', /^main: frontend "main" ran out of memory$/, { resourceLimits: { maxOldGenerationSizeMb: 20 } }],
    ['table', /^main: frontend "main" ran out of memory$/, { resourceLimits: { maxOldGenerationSizeMb: 20 } }],
  ]
  // Failures that do not depend on the pattern are tested in one.
  const tested = name === 'brownfield' ? failures : failures.filter(([how]) => how === 'exit')
  test.each(tested)('%s', async (how, message, limits) => {
    expect(await end(how, limits)).toEqual([expect.stringMatching(message)])
  })

  test.runIf(name === 'brownfield')('a normal exit without a fault', async () => {
    expect(await end('leave')).toEqual([])
  })

  test.runIf(name === 'brownfield')('a signal from outside', async () => {
    expect(await end('', {}, 'SIGSEGV')).toEqual(['main: The frontend process was terminated by SIGSEGV'])
  })

  test.runIf(linux && name === 'brownfield')('too much memory', async () => {
    expect(await end('memory', { memory: 200 })).toEqual([
      expect.stringMatching(/^main: The frontend process used \d+ MiB of memory \(limit: 200 MiB\)$/),
    ])
  })
})

test('a busy process, and one that waits for answers, ends with its label and with the bus', async () => {
  const bus = await start()
  const faults: unknown[] = []
  bus.on('fault', fault => faults.push(fault))
  const pids: number[] = []
  await bus.listen<{ pid: number }>('ends-ready', ({ payload }) => void pids.push(payload.pid))
  for (const label of ['one', 'two', 'three']) await bus.open(label, module, { sandbox: 'process' })
  await expect.poll(() => pids, POLL).toHaveLength(3)
  for (const label of ['one', 'two']) bus.call(label, 'ends', { how: 'spin' }).catch(() => {})
  bus.call('three', 'floods', { calls: 1000, bytes: 100_000, spins: true }).catch(() => {})
  const client = await bus.connect('tests')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  await bus.closeFrontend('one')
  expect(pids.filter(isAlive)).toHaveLength(2)
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  await bus.close({ timeout: 0 })
  expect(pids.filter(isAlive)).toEqual([])
  expect(faults).toEqual([])
})

test('all output of a process that is closed right after its answer arrives, or a line says that some might be lost', async () => {
  const bus = await start()
  const output = { stdout: '', stderr: '' }
  const onStdio: OnStdio = (text, { stream }) => void (output[stream] += text)
  await bus.open('main', module, { sandbox: 'process', onStdio })
  await bus.call('main', 'prints', { lines: 20_000 })
  await bus.closeFrontend('main')
  if (output.stderr === '') expect(output.stdout).toHaveLength(2_000_000)
  else expect(output.stderr).toBe('Further output might be lost: the process was killed\n')
})

test('a process that writes without an end does not delay the close of the bus until its relay is killed', async () => {
  const bus = await start()
  const faults: unknown[] = []
  bus.on('fault', fault => faults.push(fault))
  for (const label of ['loop', 'intervals']) {
    const written = new Promise<void>(resolve => {
      void bus.open(label, module, { sandbox: 'process', onStdio: () => resolve(), data: `writes in ${label}` })
    })
    await written
  }
  await bus.close({ timeout: 0 })
  expect(faults).toEqual([])
})

test.runIf(linux)('a terminated relay takes its process with it, busy or idle', async () => {
  const relays: Worker[] = []
  const keep = (message: unknown): void => void relays.push((message as { worker: Worker }).worker)
  const bus = await start()
  subscribe('worker_threads', keep)
  const pids: number[] = []
  await bus.listen<{ pid: number }>('ends-ready', ({ payload }) => void pids.push(payload.pid))
  for (const data of ['idle', 'spin']) await bus.open(data, module, { data, sandbox: 'process' })
  unsubscribe('worker_threads', keep)
  await expect.poll(() => pids, POLL).toHaveLength(2)
  expect(pids.filter(isAlive)).toHaveLength(2)
  await Promise.all(relays.map(relay => relay.terminate()))
  await expect.poll(() => pids.filter(isRunning), POLL).toEqual([])
})

/** A killed process stays in the process table until its parent asks for its exit: here, until this host exits. */
const isRunning = (pid: number): boolean =>
  isAlive(pid) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))

test.runIf(linux)('a killed host leaves no process behind, busy or idle', async () => {
  const host = spawn(process.execPath, [fileURLToPath(fixture('sandboxes/process-host.mjs'))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(host.stdout, 'data')) as [Buffer]
  const pids = JSON.parse(line.toString()) as number[]
  expect(pids.filter(isAlive)).toHaveLength(2)
  host.kill('SIGKILL')
  await expect.poll(() => pids.filter(isAlive), POLL).toEqual([])
})
