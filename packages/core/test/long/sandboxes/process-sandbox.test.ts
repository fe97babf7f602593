// A frontend in a process of its own: however the process ends, its calls settle, the host lives on, and nothing is left.
import { spawn } from 'node:child_process'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus, type OnStdio } from '../../../src/index.js'
import { getFrontendPids, isAlive, isRunning } from '../../support/processes.js'
import { everyCommand, fixture, isolation, next, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const module = fixture('sandboxes/ends.mjs')
const linux = process.platform === 'linux'

/** With and without a wall, on machines that have one. */
const walls = choose(['none', 'auto'] as const)

/** The ids of processes are read from /proc, or are those that the frontends report. */
const getPids = (reported: readonly number[], host?: number): number[] =>
  linux ? getFrontendPids(host) : [...reported]

describe.each(
  choose([
    ['brownfield', 'none', {}],
    ['brownfield', 'auto', {}],
    ['isolation', 'auto', isolation('judge', {}, everyCommand)],
  ] as const),
)('%s, wall: %s', (_name, wall, app) => {
  let bus: Bus
  const faults: { label: string; error: Error }[] = []
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, ...app })
    bus.on('fault', fault => faults.push(fault))
  })
  afterAll(() => bus.close({ timeout: 0 }))

  async function end(how: string, limits: Partial<ProcessSandbox> = {}, kill?: NodeJS.Signals) {
    faults.length = 0
    const ready = next<{ pid: number }>(bus, 'ends-ready')
    await bus.open('main', module, { sandbox: { kind: 'process', wall, ...limits } })
    const [pid] = getPids([(await ready).pid]) as [number]
    const directory = await bus.call<string>('main', 'cwd')
    const calls = [bus.call('main', 'never'), kill ? bus.call('main', 'never') : bus.call('main', 'ends', { how })]
    if (kill) process.kill(pid, kill)
    const settled = await Promise.all(calls.map(call => call.catch(({ reason }: { reason: string }) => reason)))
    expect(settled).toEqual(['Disconnected', 'Disconnected'])
    const isLeft = (): boolean => directory !== '/tmp' && existsSync(directory)
    await expect.poll(() => [isAlive(pid), isLeft()]).toEqual([false, false])
    await bus.closeFrontend('main')
    return faults.map(({ label, error }) => `${label}: ${error.message}`)
  }

  const heap = { resourceLimits: { maxOldGenerationSizeMb: 20 } }
  test('a process that ends in any way', () =>
    rows<readonly [how: string, faults: readonly string[], limits?: Partial<ProcessSandbox>, kill?: NodeJS.Signals]>([
      ['exit', ['main: frontend "main" exited with code 3']],
      ['leave', []],
      ['abort', ['main: frontend "main" was terminated by SIGABRT']],
      ['throw', ['main: uncaught']],
      ['reject', ['main: unhandled']],
      ['says that it fails', ['main: frontend "main" was terminated by SIGABRT']],
      ['heap', ['main: frontend "main" ran out of memory'], heap],
      ['table', ['main: frontend "main" ran out of memory'], heap],
      ['is killed', ['main: frontend "main" was terminated by SIGSEGV'], {}, 'SIGSEGV'],
      ...(linux
        ? [['memory', ['main: frontend "main" used more memory than its limit of 200 MiB'], { memory: 200 }] as const]
        : []),
    ])(async (how, expected, limits, kill) => expect(await end(how, limits, kill)).toEqual(expected)))
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

test('all that a process has printed before its last error arrives, and so does the error', () =>
  rows([
    ['its module throws', '', ''],
    ['a timer throws', 'setTimeout(() => {', '}); await new Promise(() => {})'],
  ])(async (_how, before, after) => {
    const bus = await start()
    let printed = ''
    const source = `${before} for (let i = 0; i < 20_000; i++) console.log('x'.repeat(99)); throw new Error('last') ${after}`
    const options = { sandbox: 'process', onStdio: (text: string) => void (printed += text) } as const
    await expect(bus.open('main', { source, name: 'main.mjs' }, options)).rejects.toThrow('last')
    expect(printed).toHaveLength(2_000_000)
  }))

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

test.runIf(linux)('a process that crashes cannot leave its memory in a file, with a wall and without', async () => {
  const bus = await start()
  for (const wall of ['none', 'auto'] as const) await bus.open(wall, module, { sandbox: { kind: 'process', wall } })
  const limits = getFrontendPids().map(pid => readFileSync(`/proc/${pid}/limits`, 'latin1'))
  expect(limits).toHaveLength(2)
  for (const limit of limits) expect(limit).toMatch(/^Max core file size +0 +0 /m)
})

test.runIf(linux).each(walls)('a killed host leaves no process behind, wall: %s', async wall => {
  const host = spawn(process.execPath, [fileURLToPath(fixture('sandboxes/process-host.mjs')), wall], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(host.stdout, 'data')
  const pids = getFrontendPids(host.pid)
  expect(pids.filter(isAlive)).toHaveLength(2)
  host.kill('SIGKILL')
  await expect.poll(() => pids.filter(isRunning)).toEqual([])
})
