// What a relay forwards, and how it stops a process, against programs in place of Node's.
import { type FrontendStart, type StateReport } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import type { LaunchLimits } from '../../../../process/src/launchers/launcher.js'
import type { RelayData } from '../../../../process/src/relay/relay-data.js'
import { type OutputSink, takeReport } from '../../../src/life/workers/output.js'
import { SharedThreads, type ThreadMember } from '../../../src/life/workers/shared-threads.js'
import { getPrelude } from '../../support/hostile-process.js'
import { rows } from '../../../../../scripts/testing.js'

interface Relay {
  worker: ThreadMember
  link: Link
  /** Frames that arrived at core's end. */
  frames: string[]
  closed: Promise<BusError | undefined>
  reports: StateReport[]
  exited: Promise<number>
}

const threads = new SharedThreads()
const group = {
  name: 'relays',
  size: 1,
  spawn: () =>
    new Worker(new URL(import.meta.resolve('@sallyport/process/internal/relay')), { stdout: true, stderr: true }),
}

const workers: ThreadMember[] = []
afterEach(() => Promise.all(workers.splice(0).map(worker => worker.terminate())))

/** @param program - the code that the process runs, with `control`, `core`, `frame` and `report` in scope */
const startRelay = (program: string, limits: LaunchLimits = {}): Relay =>
  createRelay(['-e', getPrelude() + program], { limits })

/** Starts the process of a frontend whose module is `source`. */
function startFrontend(source: string): Relay {
  const module = `data:text/javascript,${encodeURIComponent(source)}`
  const options = { label: 'main', codec: 'json', maxInFlight: 1, overflow: 'wait' } as const
  const start: FrontendStart = { ...options, module, development: false }
  const entry = fileURLToPath(import.meta.resolve('@sallyport/frontend/process'))
  return createRelay([entry], {}, serialize(start))
}

function createRelay(args: readonly string[], data: Partial<RelayData>, start = new Uint8Array(8)): Relay {
  const [coreEnd, relayEnd] = createLinkEndpoints('ring', 'never')
  const workerData: RelayData = {
    start: { type: 'start', name: 'frontend "main"', start, heartbeat: undefined, network: undefined },
    launch: { command: process.execPath, args },
    isElsewhere: false,
    temporary: tmpdir(),
    env: {},
    limits: {},
    usage: new SharedArrayBuffer(16),
    ...data,
  }
  const worker = threads.open(group, 'the relay of frontend "main"', workerData)
  worker.postMessage({ type: 'link', link: relayEnd })
  workers.push(worker)
  const link = openLink(coreEnd, false)
  const frames: string[] = []
  const closed = new Promise<BusError | undefined>(resolve => {
    link.receive({
      frame: ({ kind, body }) =>
        frames.push(`${kind}:${body.length > 100 ? body.length : Buffer.from(body).toString()}`),
      closed: resolve,
    })
  })
  const reports: StateReport[] = []
  worker.on('message', report => reports.push(report as StateReport))
  const exited = once(worker, 'exit').then(([code]) => code as number)
  return { worker, link, frames, closed, reports, exited }
}

/** Returns an object that grows with the output. */
function collectOutput(worker: ThreadMember): { stdout: string; stderr: string } {
  const written = { stdout: '', stderr: '' }
  const sink: OutputSink = { take: (stream, text) => void (written[stream] += text), end() {} }
  worker.on('message', report => takeReport(report, sink, worker))
  return written
}

describe('a relay', () => {
  test('forwards frames both ways, whole and in order, including the last ones', async () => {
    const { link, frames, exited, reports, closed } = startRelay(`
      core.write(frame(1, 'first'))
      core.write(frame(5, 'x'.repeat(3e6)))
      core.once('data', () => { core.end(frame(2, 'last'), () => process.exit(0)) })
    `)
    await expect.poll(() => frames).toEqual(['1:first', '5:3000000'])
    link.send({ kind: 1, body: 'go' })
    expect(await exited).toBe(0)
    await closed
    expect(frames.at(-1)).toBe('2:last')
    expect(reports).toEqual([])
  })

  test('makes core wait while the process does not read, without buffering', async () => {
    const { worker, link, frames } = startRelay(`
      core.write(frame(1, 'here'))
      control.on('data', chunk => chunk.includes('stop') && core.resume().on('end', () => {}))
    `)
    await expect.poll(() => frames).toEqual(['1:here'])
    const [count, length] = [2000, 2 ** 15]
    for (let i = 0; i < count; i++) link.send({ kind: 2, body: new Uint8Array(length) })
    // The ring is full.
    await expect.poll(() => link.room() !== undefined).toBe(true)
    const room = link.room()
    expect(count * length - link.queued, 'what the relay has taken').toBeLessThan(2 ** 20)
    worker.postMessage({ type: 'stop', timeout: 60_000 })
    await room
  })

  test('kills a process that ignores a stop', async () => {
    const { worker, exited, reports, frames } = startRelay(`core.write(frame(1, 'here'), () => { for (;;); })`)
    await expect.poll(() => frames).toEqual(['1:here'])
    worker.postMessage({ type: 'stop', timeout: 0 })
    expect(await exited).toBe(0)
    expect(reports).toEqual([{ type: 'state', state: 'stopped', isUnanswered: true }])
  })

  test('forwards the exit code and the output', async () => {
    const { exited, worker } = startRelay(`stdout.write('a line\\n'); process.exitCode = 7; input.unref()`)
    const written = collectOutput(worker)
    expect(await exited).toBe(7)
    expect(written).toEqual({ stdout: 'a line\n', stderr: '' })
  })

  test('forwards all output of a frontend that is stopped right after it was printed', async () => {
    const { exited, worker } = startFrontend(`for (let i = 0; i < 20000; i++) console.log('x'.repeat(99))`)
    const written = collectOutput(worker)
    await new Promise<void>(resolve => {
      worker.on('message', ({ type }: { type: string }) => type === 'loaded' && resolve())
    })
    worker.postMessage({ type: 'stop', timeout: 60_000 })
    expect(await exited).toBe(0)
    expect(written.stdout).toHaveLength(2_000_000)
    expect(written.stderr).toBe('')
  })

  test('kills a process that writes without an end, and says that output might be lost', () =>
    rows([
      ['as fast as it is read', "stdout.once('drain', write)"],
      ['in intervals', 'setTimeout(write, 0)'],
    ])(async (_name, next) => {
      const { exited, worker, reports, frames } = startRelay(`
      const write = () => { stdout.write('x'.repeat(2 ** 17)); ${next} }
      core.write(frame(1, 'here'), write)
    `)
      const written = collectOutput(worker)
      await expect.poll(() => frames).toEqual(['1:here'])
      await expect.poll(() => written.stdout.length).toBeGreaterThan(0)
      worker.postMessage({ type: 'stop', timeout: 0 })
      expect(await exited).toBe(0)
      expect(reports.filter(({ type }) => type === 'state')).toEqual([
        { type: 'state', state: 'stopped', isUnanswered: true },
      ])
      expect(written.stderr).toBe('Further output might be lost: the process was killed\n')
    }))
})

const getDirectData = (temporary: string, port: MessagePort): RelayData => ({
  start: {
    ...{ type: 'start', name: 'frontend "main"', start: new Uint8Array(8) },
    ...{ heartbeat: undefined, network: undefined },
  },
  launch: { command: '/none', args: [] },
  sockets: [port],
  ...{ isElsewhere: false, temporary, env: {}, limits: {}, usage: new SharedArrayBuffer(16) },
})

describe('a relay whose process has a socket to its owner', () => {
  test.runIf(process.platform !== 'win32')('does not start one if another process has connected', async () => {
    const { port1, port2 } = new MessageChannel()
    const worker = threads.open(group, 'the relay of frontend "main"', getDirectData(tmpdir(), port2), [port2])
    workers.push(worker)
    const failed = once(worker, 'error')
    const [{ path }] = (await once(port1, 'message')) as [{ path: string }]
    const stolen = connect(path).on('error', () => {})
    const closed = new Promise(resolve => stolen.once('close', resolve))
    // The relay has accepted it.
    await once(stolen, 'data')
    // The owner has got no secret.
    port1.postMessage(false)
    expect(await failed).toMatchObject([
      { reason: 'InvalidRequest', message: expect.stringContaining('another process') },
    ])
    await closed
  })

  test.runIf(process.platform !== 'win32')(
    'starts no process and leaves no directory before the owner has connected',
    () =>
      rows(['stop', 'terminate', 'the end of the owner'] as const)(async how => {
        const temporary = mkdtempSync(join(tmpdir(), 'relay-'))
        const { port1, port2 } = new MessageChannel()
        const data = getDirectData(temporary, port2)
        const worker = threads.open(group, 'the relay of frontend "main"', data, [port2])
        workers.push(worker)
        const exited = once(worker, 'exit')
        const [{ path }] = (await once(port1, 'message')) as [{ path: string }]
        expect(path.startsWith(join(temporary, 'sallyport-'))).toBe(true)
        expect(readdirSync(temporary)).toHaveLength(1)
        if (how === 'terminate') void worker.terminate()
        else if (how === 'stop') worker.postMessage({ type: 'stop', timeout: 60_000 })
        else port1.close()
        if (how === 'the end of the owner') {
          await expect.poll(() => readdirSync(temporary)).toEqual([])
          worker.postMessage({ type: 'stop', timeout: 60_000 })
        }
        expect(await exited).toEqual([how === 'terminate' ? 1 : 0])
        expect(readdirSync(temporary)).toEqual([])
        port1.close()
        rmSync(temporary, { recursive: true })
      }),
  )
})
