// When spares start and end, on a clock of the test.
import { EventEmitter } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import type { ProcessHost, ProcessLog, ProcessMember as HostRelay } from './contract.js'
import { createProcessConfig, createSharedProcessConfig, type ProcessOptions } from './launch.js'
import { type PoolRequest, ProcessPool } from './process-pool.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A relay without a process. */
class ProcessMember extends EventEmitter {
  postMessage = (): void => {}
  isRef = true
  isTerminated = false
  ref = (): void => void (this.isRef = true)
  unref = (): void => void (this.isRef = false)
  sockets = { areFree: true }
  terminate = async (): Promise<void> => void (this.isTerminated = true)
}

function createSpares() {
  const warn = vi.fn<(fields: object, text: string) => void>()
  const spares = new ProcessPool({ warn } as unknown as ProcessLog)
  const relays: ProcessMember[] = []
  const request = (more: Partial<PoolRequest> = {}): PoolRequest => ({
    ...{ key: 'a', spares: 1, reads: [tmpdir()] },
    open: () => relays[relays.push(new ProcessMember()) - 1] as unknown as HostRelay,
    ...more,
  })
  return { spares, relays, request, warn }
}

const share = (...[options, wall, getCode]: Parameters<typeof createProcessConfig>) =>
  createSharedProcessConfig(options, wall, getCode, {
    ...{ group: 'scripts', maxScripts: 2, maxRunMs: 1000 },
    getScript: start => start,
  })

let starts = 0
/** Returns what a process is kept by for the next one with these options. */
function getKey(options: ProcessOptions, create: typeof createProcessConfig): string {
  const code = { module: 'file:///module.js' }
  const config = create(options, { launcher: undefined, failures: [] }, () => ({
    code,
    reads: { directories: [], files: [] },
    flags: [],
  }))
  const keys: string[] = []
  const keep = ({ key }: PoolRequest): HostRelay => {
    keys.push(key)
    return new ProcessMember() as unknown as HostRelay
  }
  const start = { label: `start ${++starts}`, module: code.module } as FrontendWorkerData
  const log: ProcessLog = { info() {}, warn() {} }
  const host = { entry: 'file:///entry.js', core: undefined, log, getName: (label: string) => label } as ProcessHost
  config.spawn(start, host, { take: keep, share: keep } as unknown as ProcessPool, [])
  return keys[0]!
}

test('spares start one after the other, and each is taken once, in their order', () => {
  const { spares, relays, request } = createSpares()
  expect(spares.take(request({ spares: 2 }))).toBeUndefined()
  expect(relays).toEqual([])
  vi.advanceTimersByTime(100)
  expect(spares.count).toBe(1)
  vi.advanceTimersByTime(10_000)
  expect(spares.count).toBe(2)
  expect(relays.map(({ isRef }) => isRef)).toEqual([false, false])
  expect([0, 1].map(() => spares.take(request({ spares: 0 })))).toEqual(relays)
  expect(relays.map(({ isRef }) => isRef)).toEqual([true, true])
  expect(spares.take(request({ spares: 0 }))).toBeUndefined()
  // What happens to one that was taken is for its frontend.
  expect(relays.flatMap(relay => relay.eventNames())).toEqual([])
})

test('spares that end at once are replaced ever more slowly, and each time the log says why', () => {
  const { spares, relays, request, warn } = createSpares()
  spares.take(request())
  const started: number[] = []
  for (let second = 0; second < 600; second++) {
    for (const relay of relays.splice(0)) {
      started.push(second)
      relay.emit('message', { type: 'state', state: 'failed', error: { message: 'broken' } })
      relay.emit('exit', 1)
    }
    vi.advanceTimersByTime(1000)
  }
  expect(started).toHaveLength(15)
  expect(warn).toHaveBeenCalledTimes(15)
  expect(warn.mock.calls[0]![0]).toEqual({ err: { message: 'broken' } })
  vi.advanceTimersByTime(60_000)
  expect(spares.take(request())).toBe(relays[0])
  vi.advanceTimersByTime(100)
  expect(relays).toHaveLength(2)
})

test('a spare that has read other files, or whose sockets are gone, is ended instead of taken', () =>
  rows<[string, (relay: ProcessMember, file: string) => void]>([
    ['other files', (_relay, file) => renameSync(`${file}.new`, file)],
    ['no sockets', ({ sockets }) => (sockets.areFree = false)],
  ])((_what, change) => {
    const directory = mkdtempSync(join(tmpdir(), 'pool-'))
    const file = join(directory, 'module.js')
    for (const path of [file, `${file}.new`]) writeFileSync(path, '')
    const { spares, relays, request } = createSpares()
    const reads = [file]
    spares.take(request({ reads }))
    vi.advanceTimersByTime(100)
    change(relays[0]!, file)
    expect(spares.take(request({ reads }))).toBeUndefined()
    expect(relays[0]!.isTerminated).toBe(true)
    vi.advanceTimersByTime(100)
    expect(spares.take(request({ reads }))).toBe(relays[1])
    rmSync(directory, { recursive: true })
  }))

test('a process is taken by the same options alone, whoever starts in it', () =>
  rows<[string, Partial<ProcessOptions>]>([
    ['memory', { memory: 65 }],
    ['cpu', { cpu: 2 }],
    ['pids', { pids: 9 }],
    ['tmp', { tmp: 1 }],
    ['net', { net: true }],
    ['hosts', { net: ['a.example'] }],
    ['heap', { resourceLimits: { maxOldGenerationSizeMb: 33 } }],
    ['young', { resourceLimits: { maxYoungGenerationSizeMb: 3 } }],
    ['stack', { resourceLimits: { stackSizeMb: 3 } }],
  ])((name, options) => {
    const base = { wall: 'none', memory: 64, cpu: 1, spares: 1, net: false } as const
    const others = { ...base, ...options }
    const alone = [base, others, base].map(each => getKey(each, createProcessConfig))
    expect([alone[0] === alone[2], alone[0] === alone[1]], name).toEqual([true, false])
    if (options.net !== undefined || options.tmp !== undefined || options.resourceLimits) return
    const shared = [base, others, base].map(each => getKey(each, share))
    expect([shared[0] === shared[2], shared[0] === shared[1]], `${name}, shared`).toEqual([true, false])
  }))

test('a script starts a new process if the one before has failed, and the log does not warn', () => {
  const { spares, relays, request, warn } = createSpares()
  const share = (): unknown => spares.share(request(), () => new ProcessMember() as unknown as HostRelay)
  share()
  relays[0]!.emit('exit', 1)
  share()
  expect(relays).toHaveLength(2)
  expect(warn).not.toHaveBeenCalled()
})

test('a spare that cannot be started is tried again, and closing ends the attempts', async () => {
  const { spares, request, warn } = createSpares()
  const open = vi.fn<() => never>(() => {
    throw new Error('no')
  })
  spares.take(request({ open }))
  vi.advanceTimersByTime(2000)
  expect(open).toHaveBeenCalledTimes(2)
  expect(warn).toHaveBeenCalledTimes(2)
  await spares.close()
  vi.advanceTimersByTime(100_000)
  spares.take(request({ open }))
  vi.advanceTimersByTime(100_000)
  expect(open).toHaveBeenCalledTimes(2)
})

test('the kind that was not taken for the longest time makes room, and closing ends the rest', async () => {
  const { spares, relays, request } = createSpares()
  for (let kind = 0; kind < 17; kind++) {
    spares.take(request({ key: `${kind}` }))
    vi.advanceTimersByTime(100)
  }
  expect(spares.count).toBe(16)
  expect(relays.map(({ isTerminated }) => isTerminated)).toEqual(relays.map((_, index) => index === 0))
  await spares.close()
  expect(spares.count).toBe(0)
  expect(relays.every(({ isTerminated }) => isTerminated)).toBe(true)
})

test('a kind that has made room starts no spare', () => {
  const { spares, relays, request } = createSpares()
  for (let kind = 0; kind < 17; kind++) spares.take(request({ key: `${kind}` }))
  vi.advanceTimersByTime(10_000)
  expect(relays).toHaveLength(16)
})

test('a process whose scripts have ended is ended, unless it is the spare one', () => {
  const { spares, relays, request } = createSpares()
  const scripts = [0, 1].map(() => new ProcessMember())
  for (const script of scripts) spares.share(request({ maxScripts: 1 }), () => script as unknown as HostRelay)
  for (const script of scripts) script.emit('exit', 0)
  expect(relays.map(({ isTerminated }) => isTerminated)).toEqual([false, true])
})
