// What the page gives to copy is true: each makes its trouble end on a real bus.
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
import { listenTo } from '../support/ask.js'
import { fixture, start } from '../support/start.js'

type Options = Partial<BusOptions> & ConnectionOptions & FrontendOptions

interface Scenario {
  bus?: Partial<BusOptions>
  /** Resolves once all of its calls have settled. */
  act(bus: Bus): Promise<unknown>
}

/** @param cure - the options or names of its code; `undefined`: the trouble is to be seen */
type Row = (cure: Options | undefined) => Scenario

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
/** By how the code begins. */
const ROWS: Readonly<Record<string, Row>> = {
  'allow: [': cure => ({ act: bus => call(bus, 'add', {}, { allow: [], ...cure }) }),
  "'deny-": cure => {
    const names = ['allow-add', 'deny-add'].filter(name => !(cure as readonly string[] | undefined)?.includes(name))
    return { bus: { capabilities: [createCapability(names)] }, act: bus => call(bus, 'add') }
  },
  'maxInFlight: ': cure => ({
    act: bus => call(bus, 'add', {}, { maxInFlight: 16, overflow: 'reject', ...cure }, 32),
  }),
  'thread: ': cure => ({
    // The thread of the pool is as busy.
    bus: { core: defineCore({ commands: { block: cure ? command({ thread: fixture('block.mjs') }) : block } }) },
    act: bus => call(bus, 'block'),
  }),
  'calls: { commandTimeout': cure => ({
    bus: { core: defineCore({ commands: { wait } }), calls: { slowAfter, ...soon(cure?.calls) } },
    act: bus => untilSlow(bus, call(bus, 'wait'), cure !== undefined),
  }),
  'calls: { timeout': cure => ({
    bus: { calls: { slowAfter, ...soon(cure?.calls) } },
    act: async bus => {
      const client = await bus.connect('main')
      client.expose({ waits: () => new Promise(() => {}) })
      await untilSlow(bus, bus.call('main', 'waits'), cure !== undefined)
    },
  }),
}

/** Evaluates the code of a cure as it is printed: options, or names. A module of its own has another place here. */
function read(code: string): Options {
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

test.each(Object.entries(ROWS))(
  'the trouble of the cure %s ends once it is applied as printed',
  async (prefix, row) => {
    const find = (culprits: readonly { cure?: Cure | undefined }[]): Cure | undefined =>
      culprits.map(({ cure }) => cure).find(cure => cure?.code.startsWith(prefix))
    const troubled = await open(row(undefined))
    const { culprits } = await troubled.next(snapshot => find(snapshot.culprits) !== undefined)
    const cured = await open(row(read(find(culprits)!.code)))
    // What the calls have caused is in the second snapshot that is asked for after them.
    for (let i = 0; i < 2; i++) expect(find((await cured.next()).culprits)).toBeUndefined()
  },
)
