// The limits of a process over invented samples, and the usage of a real process.
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Child } from './child.js'
import { countFiles, createLimitCheck, explainRefusedMemory, getChildren, readTree, watchLimits } from './limits.js'

const MIB = 2 ** 20
afterEach(() => void vi.restoreAllMocks())

test('reports memory as soon as it exceeds the limit', () => {
  const check = createLimitCheck({ memory: 100 })
  expect(check({ memory: 100 * MIB, cpu: 1e9, pids: 99, files: 0 }, 0)).toBeUndefined()
  expect(check({ memory: 100 * MIB + 1, cpu: 0, pids: 1, files: 0 }, 1)).toEqual({
    limit: 'memory',
    max: 100,
    text: 'used more memory than its limit of 100 MiB',
  })
})

test('names the limit of memory for a buffer that was refused, and keeps where', () => {
  const error = { message: 'Array buffer allocation failed', stack: 'RangeError: …\n    at plugin.js:1:2' }
  expect(explainRefusedMemory('frontend "a"', error, 100)).toEqual({
    message: 'frontend "a" used more memory than its limit of 100 MiB',
    stack: error.stack,
    limit: { limit: 'memory', max: 100 },
  })
  expect(explainRefusedMemory('frontend "a"', error, undefined)).toBe(error)
  const other = { message: 'Invalid array length' }
  expect(explainRefusedMemory('frontend "a"', other, 100)).toBe(other)
})

test('reports processes and threads as soon as they exceed the limit', () => {
  const check = createLimitCheck({ pids: 12 })
  expect(check({ memory: 1e12, cpu: 1e9, pids: 12, files: 0 }, 0)).toBeUndefined()
  expect(check({ memory: 0, cpu: 0, pids: 13, files: 0 }, 1)).toEqual({
    limit: 'pids',
    max: 12,
    text: 'needed more processes and threads than its limit of 12',
  })
})

test('reports files in /tmp as soon as they exceed what its size allows', () => {
  const check = createLimitCheck({ tmp: 2 })
  const usage = { memory: 1e12, cpu: 1e9, pids: 99 }
  expect(check({ ...usage, files: 3048 }, 0)).toBeUndefined()
  expect(check({ ...usage, files: 3049 }, 1)).toEqual({
    limit: 'tmp',
    max: 2,
    text: 'had 3049 files in /tmp (limit: 3048, for 2 MiB)',
  })
})

describe('CPU time over ten seconds', () => {
  /** Samples every 100 ms, with this share of a core in each phase. Returns the first exceeded limit with its time. */
  function run(cpu: number, phases: [seconds: number, share: number][]): [number, string] | undefined {
    const check = createLimitCheck({ cpu })
    let [now, used] = [0, 500]
    for (const [seconds, share] of phases) {
      for (const end = now + seconds * 1000; now < end; now += 100) {
        const exceeded = check({ memory: 0, cpu: used, pids: 1, files: 0 }, now)
        if (exceeded) return [now, exceeded.text]
        used += share * 100
      }
    }
    return undefined
  }

  test('is reported after ten seconds above the limit, and not before', () => {
    expect(run(0.5, [[20, 1]])).toEqual([10_000, 'used 1.00 of a core for 10 s (limit: 0.5)'])
    expect(run(0.5, [[60, 0.5]])).toBeUndefined()
    expect(run(2, [[60, 1.9]])).toBeUndefined()
    expect(run(0.5, [[60, 0.503]])![1]).toBe('used 0.51 of a core for 10 s (limit: 0.5)')
  })

  test('allows a short burst, but not a longer one', () => {
    const quiet: [number, number] = [30, 0]
    expect(run(0.5, [quiet, [4, 1], quiet])).toBeUndefined()
    expect(run(0.5, [quiet, [6, 1], quiet])?.[0]).toBe(35_100)
  })

  test('is the same for samples that come late', () => {
    const check = createLimitCheck({ cpu: 0.5 })
    expect(check({ memory: 0, cpu: 0, pids: 1, files: 0 }, 0)).toBeUndefined()
    expect(check({ memory: 0, cpu: 14_000, pids: 1, files: 0 }, 30_000)).toBeUndefined()
    expect(check({ memory: 0, cpu: 24_000, pids: 1, files: 0 }, 45_000)).toEqual({
      limit: 'cpu',
      max: 0.5,
      text: 'used 0.67 of a core for 10 s (limit: 0.5)',
    })
  })
})

test.runIf(process.platform === 'linux')('reads the usage of a process with its descendants', async () => {
  const command = 'setInterval(() => {}, 1e6); console.log("started")'
  const child = spawn('/bin/sh', ['-c', '"$0" -e "$1"; true', process.execPath, command], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  const usage = [...readTree(child.pid!)].at(-1)!
  // The shell alone has 1 thread and about 1 MiB.
  expect(usage.memory).toBeGreaterThan(20 * MIB)
  expect(usage.pids).toBeGreaterThan(4)
  process.kill(getChildren(child.pid!)[0]!)
  await once(child, 'close')
  expect([...readTree(child.pid!)].at(-1)).toBeUndefined()
})

test.runIf(process.platform === 'linux')(
  'page tables are memory, and the files of the host are not counted',
  async () => {
    // Reading a page that was never written allocates a part of a page table, and no page.
    const command = `const memories = Array.from({ length: 16 }, () => new WebAssembly.Memory({ initial: 2 ** 14 }))
    for (const { buffer } of memories) {
      const bytes = new Uint8Array(buffer)
      for (let index = 0; index < bytes.length; index += 2 ** 21) globalThis.sum |= bytes[index]
    }
    setInterval(() => {}, 1e6); console.log("read")`
    const child = spawn(process.execPath, ['-e', command], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]) * 1024
    expect([...readTree(child.pid!)].at(-1)!.memory - resident).toBeGreaterThan(30 * MIB)
    expect(countFiles(child.pid!)).toBe(0)
    child.kill('SIGKILL')
    await once(child, 'close')
  },
)

test.runIf(process.platform === 'linux')('a process with many threads is read in parts', async () => {
  const command = 'require("fs").stat("/", () => console.log("started")); setInterval(() => {}, 1e6)'
  const env = { UV_THREADPOOL_SIZE: '64' }
  const child = spawn(process.execPath, ['-e', command], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  let now = 0
  // Each step takes a millisecond.
  vi.spyOn(performance, 'now').mockImplementation(() => now++)
  const reports: number[] = []
  const stop = watchLimits(child.pid!, { pids: 1000 }, {}, vi.fn(), ({ pids }) => void reports.push(pids))
  vi.advanceTimersByTime(100)
  expect(reports).toEqual([])
  for (let checks = 0; checks < 10 && reports.length === 0; checks++) vi.advanceTimersByTime(100)
  expect(reports).toEqual([expect.any(Number)])
  expect(reports[0]).toBeGreaterThan(64)
  stop()
  child.kill('SIGKILL')
  await once(child, 'close')
})

test('a kill that the system refuses ends nothing', async () => {
  const launch = { command: process.execPath, args: ['-e', 'process.exit(3)'] }
  const child = new Child({ launch, hasWall: false, stdio: 'pipe' })
  // A program that has got other rights, as by sudo.
  for (let kills = 0; kills < 2; kills++) child.process.emit('error', new Error('kill EPERM'))
  expect(await child.exited).toMatchObject({ code: 3 })
})

test('a kill after the exit signals nobody, because another process can have its id', async () => {
  const launch = { command: process.execPath, args: ['-e', ''] }
  const child = new Child({ launch, hasWall: false, stdio: 'pipe' })
  await once(child.process, 'exit')
  const kill = vi.spyOn(process, 'kill')
  child.kill()
  expect(kill).not.toHaveBeenCalled()
  expect(await child.exited).toMatchObject({ code: 0, wasKilled: false })
})
