// The callers by the id of their arm. Each function loads and starts its library, and makes the first calls: loading is a part of the
// measurement.
import type { BusOptions, FrontendOptions } from '@sallyport/core'
import type { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import type { Call } from '../payloads/payloads.js'
import { callEach, LEAD_MS, makeFirstCalls, MARKS, type MakeCall, type Marks } from './loops.js'

export interface Caller {
  marks: Marks
  /** Starts calls in the background, and returns a function for their times in µs. The times are unknown without a clock. */
  startCalls(pauseMs: number, count: number): Promise<() => Promise<number[] | undefined>>
  close(): Promise<unknown>
}

/** @param greet - the call */
export type StartCaller = (greet: Call) => Promise<Caller>

async function callFromHost(call: MakeCall, greet: Call, close: Caller['close']): Promise<Caller> {
  const marks = await makeFirstCalls(call, greet)
  return {
    marks,
    startCalls: async (pauseMs, count) => {
      const made = callEach(call, greet, pauseMs, count)
      made.catch(() => {})
      return () => made
    },
    close,
  }
}

async function startWorker(name: string): Promise<Worker> {
  const threads = await import('node:worker_threads')
  return new threads.Worker(new URL(`../workers/${name}.js`, import.meta.url))
}

/** One `postMessage` and one structured clone for each message, without checks. */
const startRaw: StartCaller = async greet => {
  const worker = await startWorker('few-calls-raw')
  const pending = new Map<number, (result: unknown) => void>()
  let calls = 0
  worker.on('message', ({ id, result }: { id: number; result: unknown }) => {
    pending.get(id)?.(result)
    pending.delete(id)
  })
  const call: MakeCall = (method, params) =>
    new Promise(resolve => {
      pending.set(++calls, resolve)
      worker.postMessage({ id: calls, method, params })
    })
  return callFromHost(call, greet, () => worker.terminate())
}

type Remote = Record<string, (args: object) => Promise<unknown>>

const startBirpc: StartCaller = async greet => {
  const { createBirpc } = await import('birpc')
  const worker = await startWorker('few-calls-birpc')
  const rpc = createBirpc<Remote>(
    {},
    {
      post: data => worker.postMessage(data),
      on: receive => void worker.on('message', receive),
    },
  )
  return callFromHost(
    (command, args) => rpc.$call(command, args),
    greet,
    () => worker.terminate(),
  )
}

const startComlink: StartCaller = async greet => {
  const { wrap } = await import('comlink')
  const { default: adapter } = await import('comlink/dist/umd/node-adapter.js')
  const worker = await startWorker('few-calls-comlink')
  // The types describe a default export, but the CommonJS file exports the function.
  const remote = wrap((adapter as unknown as typeof adapter.default)(worker)) as unknown as Remote
  return callFromHost(
    (command, args) => remote[command]!(args),
    greet,
    () => worker.terminate(),
  )
}

const core = new URL('../workers/few-calls-core.js', import.meta.url)
const hook: BusOptions['isolation'] & {} = { dir: fileURLToPath(new URL('../../hooks/check/', import.meta.url)) }

/** The client is in the host's thread, and core in a worker. */
const connectBus =
  (link: 'ring' | 'port', isolation?: typeof hook): StartCaller =>
  async greet => {
    const { createBus } = await import('@sallyport/core')
    const bus = await createBus({ core, log: false, ...(isolation && { isolation }) })
    const client = await bus.connect('main', { link, codec: 'json' })
    return callFromHost(
      (command, args) => client.invoke(command, args as Record<string, unknown>),
      greet,
      () => bus.close({ timeout: 0 }),
    )
  }

const frontends = new URL('../../frontends/', import.meta.url)

/** A script for SES, and a module that runs it. */
const SCRIPT = new URL('few-calls.js', frontends)
const MODULE = new URL('few-calls-module.js', frontends)

/** Far above the time of all calls. */
const CALLS_TIMEOUT_MS = 60_000

/** The caller is a frontend in a sandbox. */
const openFrontend =
  (sandbox: FrontendOptions['sandbox'] & {}, isolation?: typeof hook): StartCaller =>
  async greet => {
    const { createBus } = await import('@sallyport/core')
    const isScript = sandbox === 'ses'
    // A script has no clock: core notes when calls arrive.
    const call = isScript ? { ...greet, command: 'clocked_greet' } : greet
    const data = { call, marks: MARKS, leadMs: LEAD_MS }
    const bus = await createBus({
      ...{ core, log: false, ...(isolation && { isolation }) },
      frontends: {
        main: { module: isScript ? SCRIPT : MODULE, sandbox, data, allow: ['greet', 'clocked_greet', 'clock_stop'] },
      },
    })
    const marks = await new Promise<Marks>((resolve, reject) => {
      bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
      bus.once<Marks>('few-calls', ({ payload }) => resolve(payload)).catch(reject)
    })
    return {
      marks,
      startCalls: async (pauseMs, count) => {
        await bus.call('main', 'start_calls', { pauseMs, count })
        return async () =>
          (await bus.call<number[] | null>('main', 'get_times', {}, { timeout: CALLS_TIMEOUT_MS })) ?? undefined
      },
      close: () => bus.close({ timeout: 0 }),
    }
  }

export const CALLERS: Readonly<Record<string, StartCaller>> = {
  raw: startRaw,
  birpc: startBirpc,
  comlink: startComlink,
  'ring-json': connectBus('ring'),
  'port-json': connectBus('port'),
  'isolation-ring-json': connectBus('ring', hook),
  process: openFrontend({ kind: 'process', wall: 'none' }),
  'process-wall': openFrontend({ kind: 'process', wall: 'required' }, hook),
  ses: openFrontend('ses'),
}
