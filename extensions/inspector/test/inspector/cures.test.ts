// The cures are true: each makes its trouble end on a real bus, or in cures.test.ts where that is impractical.
import {
  type Bus,
  type BusOptions,
  command,
  type CommandContext,
  type ConnectionOptions,
  defineCore,
  type FrontendOptions,
} from '@sallyport/core'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Cure } from '../../src/contract/views.js'
import { CURES, type CureName } from '../../src/host/cures.js'
import { listenTo } from '../support/ask.js'
import { at, fixture, isolation, start } from '../support/start.js'

type Options = Partial<BusOptions> & ConnectionOptions & FrontendOptions

interface Scenario {
  bus?: Partial<BusOptions>
  /** Resolves once all of its calls have settled. */
  act(bus: Bus): Promise<unknown>
}

/** @param cure - the options or names of its code, `{}` if it has none; `undefined`: the trouble is to be seen */
type Row = (cure: Options | undefined) => Scenario

const UNIT = 'cures.test.ts'
const call = async (bus: Bus, name: string, args: object = {}, options: ConnectionOptions = {}, times = 1) => {
  const client = await bus.connect('main', options)
  const calls = Array.from({ length: times }, () => client.invoke(name, args))
  return Promise.allSettled(calls)
}
const createCapability = (permissions: readonly string[]) => ({ identifier: 'main', windows: ['main'], permissions })
/** Milliseconds, after which a call is reported. */
const slowAfter = 2000
/** The code of a cure, with a shorter time. */
const soon = (calls: BusOptions['calls'] = {}): BusOptions['calls'] =>
  Object.fromEntries(Object.keys(calls).map(name => [name, 10]))
const wait = (_args: unknown, { signal }: CommandContext): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
/** A call that does not run in core any more cannot become slow. */
async function untilSlow(bus: Bus, calls: Promise<unknown>, isCured: boolean): Promise<void> {
  if (!isCured) return void (await Promise.race([new Promise(resolve => bus.on('slow', resolve)), calls]))
  await calls.catch(() => {})
  await expect.poll(async () => (await bus.stats()).core.inFlight).toBe(0)
}
const block = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
const schema = {
  '~standard': {
    version: 1,
    vendor: 'tests',
    validate: (value: unknown) =>
      typeof (value as { a?: unknown }).a === 'number' ? { value } : { issues: [{ message: 'a must be a number' }] },
  },
} as const

const ROWS: Readonly<Record<CureName, Row | typeof UNIT>> = {
  allow: cure => ({ act: bus => call(bus, 'add', {}, { allow: [], ...cure }) }),
  permission: UNIT,
  deny: cure => {
    const names = ['allow-add', 'deny-add'].filter(name => !(cure as readonly string[] | undefined)?.includes(name))
    return { bus: { app: { security: { capabilities: [createCapability(names)] } } }, act: bus => call(bus, 'add') }
  },
  capabilities: UNIT,
  quota: cure => ({
    bus: { calls: { quotas: [{ commands: ['add'], rate: cure ? 1000 : 1 / 60 }] } },
    act: bus => call(bus, 'add', {}, {}, 5),
  }),
  maxInFlight: cure => ({
    act: bus => call(bus, 'add', {}, { maxInFlight: 16, overflow: 'reject', ...cure }, 32),
  }),
  hookThrows: UNIT,
  hookTimeout: UNIT,
  hookQueue: UNIT,
  hookRejects: cure => ({
    bus: { app: isolation(createCapability(['allow-echo'])) },
    act: bus => call(bus, 'echo', cure ? {} : { hook: 'null' }),
  }),
  uncaughtDenial: UNIT,
  uncaughtError: UNIT,
  memory: UNIT,
  cpu: UNIT,
  heartbeat: UNIT,
  package: UNIT,
  code: UNIT,
  error: cure => ({
    act: async bus => {
      const supervision = { restart: 'temporary' } as const
      const hasFailed = new Promise(resolve => bus.on('failed', resolve))
      await bus.open('main', at(cure ? '' : `setTimeout(() => { throw new Error('boom') })`), { supervision })
      if (!cure) await hasFailed
    },
  }),
  command: cure => ({ act: bus => call(bus, cure ? 'add' : 'fails', {}, {}, 12) }),
  arguments: cure => ({
    bus: { core: defineCore({ commands: { check: command({ args: schema }, () => 1) } }) },
    act: bus => call(bus, 'check', { a: cure ? 1 : 'x' }),
  }),
  name: cure => ({ act: bus => call(bus, cure ? 'add' : 'ad') }),
  timeout: UNIT,
  file: UNIT,
  gate: UNIT,
  busy: UNIT,
  pool: cure => ({
    // The thread of the pool is as busy.
    bus: { core: defineCore({ commands: { block: cure ? command({ thread: fixture('block.mjs') }) : block } }) },
    act: bus => call(bus, 'block'),
  }),
  slowCommand: cure => ({
    bus: { core: defineCore({ commands: { wait } }), calls: { slowAfter, ...soon(cure?.calls) } },
    act: bus => untilSlow(bus, call(bus, 'wait'), cure !== undefined),
  }),
  slowFunction: cure => ({
    bus: { calls: { slowAfter, ...soon(cure?.calls) } },
    act: async bus => {
      const client = await bus.connect('main')
      client.expose({ waits: () => new Promise(() => {}) })
      await untilSlow(bus, bus.call('main', 'waits'), cure !== undefined)
    },
  }),
  events: UNIT,
}

/** Evaluates the code of a cure as it is printed: options, or names. A module of its own has another place here. */
function read(code = ''): Options {
  const text = code.replace(/new URL\(.*\)/, 'undefined')
  return runInThisContext(/^\w+:/.test(code) ? `({ ${text} })` : `[${text}]`) as Options
}

async function open({ bus: options, act }: Scenario) {
  const bus = await start(options)
  const page = await listenTo((await bus.openInspector()).url)
  await page.next(({ commands }) => commands !== undefined)
  await act(bus)
  return page
}

const rows = Object.entries(ROWS).filter((entry): entry is [CureName, Row] => entry[1] !== UNIT)

test.each(rows)('the trouble of the cure %s ends once it is applied as printed', async (name, row) => {
  const { text, code } = CURES[name]
  const find = (culprits: readonly { cure?: Cure | undefined }[]): Cure | undefined =>
    culprits.map(({ cure }) => cure).find(cure => cure?.text === text && (code === undefined || cure.code === code))
  const troubled = await open(row(undefined))
  const { culprits } = await troubled.next(snapshot => find(snapshot.culprits) !== undefined)
  const cured = await open(row(read(find(culprits)!.code)))
  // What the calls have caused is in the second snapshot that is asked for after them.
  for (let i = 0; i < 2; i++) expect(find((await cured.next()).culprits)).toBeUndefined()
})
