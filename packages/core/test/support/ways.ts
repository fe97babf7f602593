// Every way on which a value crosses, for the tables of `ways-and-sizes.test.ts` in calls, long/calls and matrix/calls: each kind of frontend is driven over
// each of them with each size. Whoever adds a way to the public API adds it here: the list is held against the reports in `etc/`.
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { onTestFailed, test } from 'vitest'
import { installTauri } from '@sallyport/frontend/tauri'
import {
  CHANNEL_READ_AHEAD,
  MAX_CONFIRM_TEXT,
  MAX_OUTPUT_LINE,
  MIN_ATTACHMENT_BYTES,
  RING_BYTES,
} from '@sallyport/protocol/internal/wire'
import { Channel } from '@sallyport/frontend/internal'
import {
  type Bus,
  CommandError,
  createBus,
  type CodecName,
  type FrontendOptions,
  type RunOptions,
} from '../../src/index.js'
import { startProgram } from '../../src/launchers.js'
import { createTestBus, runHook } from '../../src/testing.js'
import { ASKING, createFrontend, createServing, expectEvent } from '../fixtures/ways/functions.mjs'
import { check, type Form, FORMS, make } from '../fixtures/ways/values.mjs'
import { combine } from './combinations.js'
import { COMPANY, type Company, crossBeside } from './company.js'
import { definitionIn, fixture, isolation } from './start.js'
import { isMatrix, rows } from '../../../../scripts/testing.js'

/** Around each buffer that a frame passes, and above the largest. */
const SIZES: readonly number[] = [
  0,
  1,
  ...[MIN_ATTACHMENT_BYTES, RING_BYTES].flatMap(bytes => [bytes - 1, bytes, bytes + 1]),
  CHANNEL_READ_AHEAD + 1,
]

const SCRIPT = { kind: 'quickjs', memory: 512, time: 5000 } as const
/** Undefined for a connection of the host, which has no sandbox. */
const SANDBOXES = {
  connection: undefined,
  thread: 'none',
  permission: 'permission',
  process: { kind: 'process', wall: 'none' },
  script: SCRIPT,
  'script in a process': { ...SCRIPT, process: true, wall: 'none' },
} as const satisfies Record<string, FrontendOptions['sandbox']>
export type Kind = keyof typeof SANDBOXES
const KINDS = Object.keys(SANDBOXES) as Kind[]
const CODE = KINDS.filter(kind => kind !== 'connection')
const RUNS = CODE.filter(kind => kind !== 'thread')
const SCRIPTS = KINDS.filter(kind => kind.startsWith('script'))

/** The buses: codec, pattern and place of core. */
const BUSES = {
  'json, brownfield': { codec: 'json', isIsolated: false, isInThread: false },
  'json, isolation': { codec: 'json', isIsolated: true, isInThread: false },
  'msgpack, brownfield': { codec: 'msgpack', isIsolated: false, isInThread: false },
  'msgpack, isolation': { codec: 'msgpack', isIsolated: true, isInThread: false },
  'json, isolation, core in this thread': { codec: 'json', isIsolated: true, isInThread: true },
  'msgpack, brownfield, core in this thread': { codec: 'msgpack', isIsolated: false, isInThread: true },
} as const satisfies Record<string, { codec: CodecName; isIsolated: boolean; isInThread: boolean }>
type BusName = keyof typeof BUSES
const BUS_NAMES = Object.keys(BUSES) as BusName[]
/** With each pair of a codec, a pattern and a place of core. */
const FEW_BUSES: BusName[] = [
  'json, brownfield',
  'msgpack, isolation',
  'json, isolation, core in this thread',
  'msgpack, brownfield, core in this thread',
]

export interface Place {
  bus: Bus
  kind: Kind
  /** What the kind has printed, and who waits for more. */
  output: Output
  /** Lines of the log. */
  lines: (record: object) => void
}

interface Sample {
  form: Form
  size: number
  /** Unique, as part of labels and events. */
  id: string
}

interface Way {
  /** What carries it in the public API. */
  members: readonly string[]
  run(place: Place, sample: Sample): Promise<unknown>
  /** All by default. */
  kinds?: readonly Kind[]
  /** It starts a thread or a process for each value. */
  isCostly?: boolean
  /** Four, which cross at once. All by default. */
  forms?: readonly Form[]
}

const TEXTS: readonly Form[] = ['text', 'wide', 'text', 'wide']
const JSON_FORMS: readonly Form[] = ['text', 'wide', 'records', 'text']
const BYTES: readonly Form[] = ['bytes', 'bytes', 'bytes', 'bytes']

const asks = Object.keys(ASKING)
const formsOf = (ask: string): { forms?: readonly Form[] } => (ask.startsWith('raw') ? { forms: BYTES } : {})
const label = ({ kind }: Place): string => LABELS[kind]
const LABELS = Object.fromEntries(KINDS.map(kind => [kind, kind.replaceAll(' ', '-')])) as Record<Kind, string>
const ask = (place: Place, name: string, args: object): Promise<unknown> => place.bus.call(label(place), name, args)

/** The members of each that carry what a caller asks. */
const CARRIERS: Record<string, string[]> = {
  argument: ['call'],
  result: ['call'],
  error: ['call'],
  'raw argument': ['call'],
  'raw result': ['call'],
  stream: ['stream'],
  'argument of a stream': ['stream'],
  'error of a stream': ['stream'],
  'stream as an argument': ['call'],
  channel: ['call'],
}
const callOf = (owner: string, name: string): string[] => CARRIERS[name]!.map(member => `${owner}.${member}`)

/** What each caller asks of each server. */
const calls: Record<string, Way> = Object.fromEntries(
  asks.flatMap((way): [string, Way][] => [
    [
      `${way}, from a frontend to core`,
      {
        members: [
          ...(CARRIERS[way]![0] === 'call' ? ['Client.invoke', 'invoke'] : ['Client.stream', 'stream', 'Stream.next']),
          ...(way === 'channel' ? ['Channel.onmessage', 'Channel.send', 'Channel.end'] : []),
        ],
        run: (place, { form, size }) => ask(place, 'ask', { way, of: 'core', form, size }),
        ...formsOf(way),
      },
    ],
    [
      `${way}, from the host to a frontend`,
      {
        members: [...callOf('Bus', way), 'Client.expose', 'expose'],
        run: ({ bus, kind }, { form, size }) =>
          ASKING[way]!(
            {
              call: (name, args) => bus.call(LABELS[kind], name, args),
              stream: (name, args) => bus.stream(LABELS[kind], name, args),
              Channel,
            },
            { form, size },
          ),
        ...formsOf(way),
      },
    ],
    [
      `${way}, from core to a frontend`,
      {
        members: callOf('App', way),
        run: (place, { form, size }) =>
          way === 'channel'
            ? // Core has no channel of its own to read: it passes on that of its caller.
              passChannel(place, { form, size })
            : hostClient(place).invoke('ask', { way, label: label(place), form, size }),
        ...formsOf(way),
      },
    ],
  ]),
)

const hosts = new WeakMap<Bus, import('../../src/index.js').Client>()
const hostClient = ({ bus }: Place): import('../../src/index.js').Client => hosts.get(bus)!

const passChannel = (place: Place, sample: { form: Form; size: number }): Promise<unknown> => {
  const client = hostClient(place)
  return ASKING['channel']!(
    {
      call: (_name, args) => client.invoke('pass_channel', { ...args, label: label(place) }),
      Channel: client.Channel,
    },
    sample,
  )
}

/** What core, the host's plugin and the pool do not stream. */
const PLAIN = ['argument', 'result', 'error']

const servers: Record<string, Way> = Object.fromEntries(
  PLAIN.flatMap((way): [string, Way][] => [
    [
      `${way}, from a frontend to a plugin of the host`,
      {
        members: ['Bus.addPlugin', 'AddedPlugin.commands'],
        run: (place, { form, size }) => ask(place, 'ask', { way, of: 'plugin', form, size }),
      },
    ],
    [
      `${way}, from a frontend to the pool`,
      {
        members: ['Command.thread'],
        run: (place, { form, size }) => ask(place, 'in_thread', { way, form, size }),
      },
    ],
  ]),
)

const proxies: Record<string, Way> = {
  'argument and result, through a proxy of the host': {
    members: ['Bus.frontend'],
    async run(place, { form, size }) {
      const proxy = place.bus.frontend(label(place)) as Record<string, (args: object) => Promise<unknown>>
      await proxy['take']!({ form, size, value: make(form, size) })
      check(form, size, await proxy['give']!({ form, size }))
    },
  },
  'argument and result, through a proxy of core': {
    members: ['App.frontend'],
    async run(place, { form, size }) {
      for (const way of ['argument', 'result'])
        await hostClient(place).invoke('ask', { way, byProxy: true, label: label(place), form, size })
    },
  },
  'argument and result, of all': {
    members: ['Bus.callAll'],
    async run(place, { form, size }) {
      const labels = [label(place), 'connection']
      const taken = await place.bus.callAll('take', { form, size, value: make(form, size) }, { labels })
      const given = await place.bus.callAll('give', { form, size }, { labels })
      for (const each of labels) {
        if (taken[each]?.status !== 'fulfilled') throw taken[each]?.reason
        if (given[each]?.status !== 'fulfilled') throw given[each]?.reason
        check(form, size, given[each].value)
      }
    },
  },
}

/** Resolves with what stops it once the host listens. */
const expectInHost = (
  { bus }: Place,
  sample: { form: Form; size: number; event: string },
  client?: { listen: Bus['listen'] },
) => expectEvent((event, handler) => (client ?? bus).listen(event, handler as never), sample)

const events: Record<string, Way> = {
  'event, from a frontend to core': {
    members: ['Client.emit', 'emit', 'App.listen'],
    run: (place, { form, size, id }) => ask(place, 'emit_to_core', { event: id, form, size }),
  },
  'event, from a frontend to core once': {
    members: ['App.once'],
    run: (place, { form, size, id }) => ask(place, 'emit_to_core', { event: id, form, size, once: true }),
  },
  'event, from a frontend to the host': {
    members: ['Client.emit', 'Bus.listen'],
    async run(place, { form, size, id: event }) {
      const expected = await expectInHost(place, { event, form, size })
      await ask(place, 'emit', { event, form, size })
      await expected.arrived()
    },
  },
  'event, from a frontend to the host once': {
    members: ['Bus.once'],
    async run(place, { form, size, id: event }) {
      const expected = await expectEvent((name, handler) => place.bus.once(name, handler as never), {
        event,
        form,
        size,
      })
      await ask(place, 'emit', { event, form, size })
      await expected.arrived()
    },
  },
  'event, from a frontend to another': {
    members: ['Client.emitTo', 'emitTo', 'Client.listen', 'listen'],
    async run(place, { form, size, id: event }) {
      const expected = await expectInHost(place, { event, form, size }, hostClient(place) as never)
      await ask(place, 'emit', { event, form, size, target: 'connection' })
      await expected.arrived()
    },
  },
  ...Object.fromEntries(
    ['emit', 'emitTo', 'emitFilter'].map((how): [string, Way] => [
      `event, from core to a frontend with ${how}`,
      {
        members: [`App.${how}`, 'Client.listen', 'listen'],
        async run(place, { form, size, id: event }) {
          await ask(place, 'expect_event', { event, form, size })
          await hostClient(place).invoke('emit', { how, event, form, size, label: label(place) })
          await ask(place, 'event_arrived', { event })
        },
      },
    ]),
  ),
  'event, from the host to a frontend': {
    members: ['Bus.emit'],
    async run(place, { form, size, id: event }) {
      await ask(place, 'expect_event', { event, form, size })
      await place.bus.emit(event, make(form, size))
      await ask(place, 'event_arrived', { event })
    },
  },
  'event, from the host to one frontend, once': {
    members: ['Bus.emitTo', 'Client.once', 'once'],
    async run(place, { form, size, id: event }) {
      await ask(place, 'expect_event', { event, form, size, once: true })
      await place.bus.emitTo(label(place), event, make(form, size))
      await ask(place, 'event_arrived', { event })
    },
  },
}

const others: Record<string, Way> = {
  header: {
    members: ['InvokeOptions.headers', 'CommandRequest.headers'],
    forms: TEXTS,
    run: (place, { form, size }) => ask(place, 'header', { form, size }),
  },
  'body of a request': {
    members: ['CommandRequest.body'],
    kinds: ['connection'],
    run: (place, { form, size }) => hostClient(place).invoke('check_body', { form, size, value: make(form, size) }),
  },
  'text of a prompt': {
    members: ['CommandContext.confirm'],
    forms: ['text', 'text', 'text', 'text'],
    run: (place, { size }) => ask(place, 'confirm', { size }),
  },
  'data and scope of a frontend': {
    isCostly: true,
    members: [
      'ConnectionOptions.data',
      'ConnectionOptions.allow',
      'Client.data',
      'getData',
      'CommandContext.scope',
      'Bus.open',
      'Bus.connect',
    ],
    forms: JSON_FORMS,
    async run(place, { form, size, id }) {
      const value = make(form, size)
      const allow = [{ permission: 'allow-check-scope', allow: [{ value }] }]
      await openPlace(place.bus, place.kind, id, { allow, data: { value } })
      await place.bus.call(id, 'check_data', { form, size })
      await place.bus.call(id, 'check_scope', { form, size })
      await place.bus.closeFrontend(id)
    },
  },
  'scope of a capability': {
    members: ['Bus.addCapability'],
    kinds: ['connection'],
    forms: JSON_FORMS,
    async run({ bus }, { form, size, id }) {
      const client = await bus.connect(id, { allow: [] })
      const allow = [{ value: make(form, size) }]
      await bus.addCapability({
        identifier: id,
        windows: [id],
        permissions: [{ identifier: 'allow-check-scope', allow }],
      })
      await client.invoke('check_scope', { form, size })
      await bus.removeCapability(id)
      await client.close()
    },
  },
  'options of a plugin of core': {
    members: ['PluginApi.config'],
    kinds: ['connection'],
    forms: ['text', 'text', 'text', 'text'],
    run: (place, { size }) => hostClient(place).invoke('check_config', { form: 'text', size }),
  },
  'description of a command': {
    members: ['Bus.describe', 'CommandContent.description', 'Command.description'],
    kinds: ['connection'],
    forms: TEXTS,
    async run({ bus }, { form, size, id }) {
      const name = id.replaceAll('_', '-')
      const description = make(form, size) as string
      await bus.addPlugin({ name, commands: { it: { kind: 'command', description, handler: () => {} } as never } })
      const all = await bus.describe('connection', { allow: [`plugin:${name}|it`] })
      check(form, size, all[0]!.description ?? '')
      await bus.removePlugin(name)
    },
  },
  'line of the log': {
    members: ['CommandContext.log', 'App.log'],
    kinds: ['connection'],
    forms: JSON_FORMS,
    async run(place, { form, size, id }) {
      const line = place.output.expectLine(id)
      await hostClient(place).invoke('log', { event: id, form, size })
      check(form, size, (await line)['value'])
    },
  },
  'source of a frontend': {
    isCostly: true,
    members: ['ModuleSource.source', 'FrontendModule.module'],
    kinds: RUNS,
    forms: TEXTS,
    async run({ bus, kind }, { form, size, id }) {
      const text = JSON.stringify(make(form, size))
      const source = `import { expose } from '@sallyport/frontend'\nconst text = ${text}\nexpose({ text: () => text })`
      const directory = kind.startsWith('script') ? {} : { directory: fixture('ways/') }
      await bus.open(id, { source, name: 'main.js', ...directory }, { sandbox: SANDBOXES[kind]! })
      check(form, size, await bus.call(id, 'text'))
      await bus.closeFrontend(id)
    },
  },
  'error of a module': {
    isCostly: true,
    members: ['Bus.open'],
    kinds: RUNS,
    forms: TEXTS,
    async run({ bus, kind }, { form, size, id }) {
      const message = make(form, size) as string
      const source = `throw new RangeError(${JSON.stringify(message)})`
      const directory = kind.startsWith('script') ? {} : { directory: fixture('ways/') }
      const options = { sandbox: SANDBOXES[kind]!, supervision: { restart: 'temporary' } } as const
      const error = await bus.open(id, { source, name: 'main.js', ...directory }, options).then(
        () => undefined,
        (thrown: unknown) => thrown as Error & { reason: string },
      )
      await bus.closeFrontend(id).catch(() => {})
      if (error?.reason !== 'LoadFailed' || !error.message.includes(message.slice(0, 1000)))
        throw new Error(`Another error than that of the module: ${String(error).slice(0, 300)}`)
    },
  },
  "call of Tauri's API": {
    members: ['installTauri'],
    kinds: ['connection'],
    // Bytes in its arguments are arrays of numbers, as in Tauri.
    forms: JSON_FORMS,
    async run(place, { form, size }) {
      const target = {} as { __TAURI_INTERNALS__: { invoke(name: string, args: object): Promise<unknown> } }
      const installation = installTauri(hostClient(place), target)
      const { invoke } = target.__TAURI_INTERNALS__
      await invoke('take', { form, size, value: make(form, size) })
      const given = await invoke('give', { form, size })
      installation.uninstall()
      check(form, size, given)
    },
  },
  'bytes of a program': {
    members: ['startProgram', 'Program.stdin', 'Program.stdout', 'Program.stderr'],
    kinds: ['connection'],
    isCostly: true,
    async run(_place, { size }) {
      const code = 'process.stdin.on("data", data => { process.stdout.write(data); process.stderr.write(data) })'
      const program = await startProgram({ command: process.execPath, args: ['-e', code], wall: 'none' })
      const read = Promise.all([program.stdout, program.stderr].map(stream => buffer(stream)))
      program.stdin.end(make('bytes', size))
      for (const bytes of await read) check('bytes', size, bytes)
    },
  },
  'payload of a hook that is tested': {
    members: ['runHook', 'HookInput.payload'],
    kinds: ['connection'],
    isCostly: true,
    async run(_place, { form, size }) {
      const outcome = await runHook(fixture('isolation/hooks/judge/'), {
        cmd: 'x',
        payload: { value: make(form, size) },
      })
      if (!outcome.passed) throw new Error('The hook did not pass it', { cause: outcome })
      check(form, size, (outcome.message.payload as { value: unknown }).value)
    },
  },
  'calls of a bus that is tested': {
    members: [
      'createTestBus',
      'TestBus.calls',
      'TestBus.client',
      'TestBusOptions.commands',
      'RecordedCall.args',
      'RecordedCall.error',
      'RecordedCall.result',
    ],
    kinds: ['connection'],
    async run(_place, { form, size }) {
      const value = make(form, size)
      const failure = new CommandError('NO', 'no', { data: { value } })
      await using tested = await createTestBus({ commands: { echo: (args: object) => args, fail: failure } })
      const { client } = tested
      check(form, size, (await client.invoke<{ value: unknown }>('echo', { value })).value)
      await client.invoke('fail').catch(() => {})
      const [echo, fail] = tested.calls()
      for (const held of [echo?.args, echo?.result, (fail?.error as CommandError | undefined)?.commandData])
        check(form, size, (held as { value: unknown }).value)
    },
  },
  'output of a frontend': {
    members: ['FrontendOptions.onStdio'],
    kinds: CODE,
    forms: ['text', 'text', 'text', 'text'],
    run: (place, { size, id }) => place.output.check(place, id, size),
  },
}

/** Of the code of a run, which can import no file in a VM: `make` and `check`, and how it has `@sallyport/frontend`. */
const PRELUDE = `${readFileSync(fixture('ways/values.mjs'), 'utf8').replaceAll('export ', '')}
const { form, size } = args
const getPackage = () => globalThis.sallyport ?? import('@sallyport/frontend')
`

/** A run of such code. */
async function run(
  { bus, kind }: Place,
  { form, size }: Sample,
  code: string,
  options: RunOptions & { report?: true } = {},
) {
  const { args, ...more } = options
  return bus.run(`${PRELUDE}${code}`, {
    sandbox: SANDBOXES[kind] as NonNullable<RunOptions['sandbox']>,
    allow: '*',
    args: { form, size, ...args },
    ...(kind.startsWith('script') ? {} : { directory: fixture('ways/') }),
    ...more,
  } as RunOptions)
}

/** What is shown of a text that was printed: a script shows so much of each, and says that it goes on. */
const toShown = (kind: Kind, text: string): string =>
  kind.startsWith('script') && text.length > MAX_OUTPUT_LINE ? `${text.slice(0, MAX_OUTPUT_LINE - 1)}…` : text

/** @throws if it is not what is shown of the value */
function checkShown({ kind }: Place, { form, size }: Sample, shown: string): void {
  const wanted = toShown(kind, make(form, size) as string)
  if (shown !== wanted)
    throw new Error(`Printed ${wanted.length} characters, got ${shown.length}: ${shown.slice(-200)}`)
}

const getFailure = async (
  promise: Promise<unknown>,
): Promise<{ reason?: string; data: unknown; continuation?: Uint8Array }> =>
  promise.then(
    () => {
      throw new Error('The run succeeded')
    },
    (error: unknown) => error as never,
  )

/** Functions of the host for a run. */
const functions = { host: createServing(CommandError) } as NonNullable<RunOptions['functions']>

function checkFailure({ form, size }: Sample, error: { reason?: string; data?: unknown } | undefined): void {
  if (error?.reason !== 'CommandFailed') throw new Error('Another error than that of the code', { cause: error })
  check(form, size, (error.data as { value: unknown }).value)
}

/** Interrupts a run, and returns its report. */
async function interrupt(place: Place, sample: Sample, code: string) {
  const report = (await run(place, sample, code, { report: true })) as {
    status?: string
    continuation: Uint8Array
    data: unknown
  }
  if (report.status !== 'interrupted') throw new Error('The run was not interrupted', { cause: report })
  return report
}

const resume = ({ bus, kind }: Place, continuation: Uint8Array, answer: { value: unknown } | { error: unknown }) =>
  bus.resume(continuation, answer, { allow: '*', sandbox: SANDBOXES[kind] as never })

const ASK = `const answer = await invoke('interrupt', { form: 'text', size: 0 })`

const runs: Record<string, Way> = {
  'result of a run': {
    members: ['Bus.run'],
    run: async (place, sample) => check(sample.form, sample.size, await run(place, sample, 'return make(form, size)')),
  },
  'error of a run': {
    members: ['Bus.run'],
    run: async (place, sample) =>
      checkFailure(sample, await getFailure(run(place, sample, 'throw { value: make(form, size) }'))),
  },
  'value of a report': {
    members: ['EndedRun.value'],
    async run(place, sample) {
      const report = (await run(place, sample, 'return make(form, size)', { report: true })) as {
        value: unknown
        error: unknown
      }
      if (report.error) throw new Error('The run failed', { cause: report.error })
      check(sample.form, sample.size, report.value)
    },
  },
  'error of a report': {
    members: ['EndedRun.error', 'RunError.data'],
    async run(place, sample) {
      const report = await run(place, sample, 'throw { value: make(form, size) }', { report: true })
      checkFailure(sample, (report as { error?: { reason: string } }).error)
    },
  },
  'unhandled rejection of a report': {
    members: ['RunTraffic.unhandled'],
    // Bytes become members of JSON there, which count as values of the script.
    forms: JSON_FORMS,
    async run(place, sample) {
      const code = 'Promise.reject({ value: make(form, size) }); return 1'
      const report = (await run(place, sample, code, { report: true })) as { unhandled?: { reason: string }[] }
      if (report.unhandled?.length !== 1) throw new Error('The report has no rejection', { cause: report })
      if (report.unhandled[0]!.reason !== 'CommandFailed')
        throw new Error('Another rejection', { cause: report.unhandled[0] })
    },
  },
  'lines of a report': {
    members: ['RunTraffic.logs', 'RunLog.text'],
    forms: TEXTS,
    async run(place, sample) {
      const limits = { consoleBytes: sample.size + 1 }
      const report = await run(place, sample, 'console.log(make(form, size)); return 1', { report: true, limits })
      checkShown(place, sample, (report as { logs: { text: string }[] }).logs.map(log => log.text).join('\n'))
    },
  },
  'output of a run': {
    members: ['FrontendOptions.onStdio'],
    forms: TEXTS,
    async run(place, sample) {
      let text = ''
      await run(place, sample, 'console.error(make(form, size)); return 1', {
        onStdio: printed => void (text += printed),
      })
      checkShown(place, sample, text.slice(0, -1))
    },
  },
  'arguments of a run': {
    members: ['RunOptions.args'],
    run: (place, sample) => {
      const args = { value: make(sample.form, sample.size) }
      return run(place, sample, 'return check(form, size, args.value)', { args })
    },
  },
  'data of a run': {
    members: ['ConnectionOptions.data'],
    run: (place, sample) => {
      const data = { value: make(sample.form, sample.size) }
      return run(place, sample, 'return check(form, size, (await getPackage()).getData().value)', { data })
    },
  },
  'source of a run': {
    members: ['Bus.run'],
    forms: TEXTS,
    run: (place, sample) =>
      run(place, sample, `return check(form, size, ${JSON.stringify(make(sample.form, sample.size))})`),
  },
  'module of a run': {
    members: ['ModuleSource.modules'],
    kinds: SCRIPTS,
    forms: TEXTS,
    run: (place, sample) => {
      const modules = { 'lib/text.js': `export const text = ${JSON.stringify(make(sample.form, sample.size))}` }
      return run(place, sample, `return check(form, size, (await import('./lib/text.js')).text)`, { modules })
    },
  },
  'argument of a function of a run': {
    members: ['RunOptions.functions', 'RunFunction.handler'],
    run: (place, sample) =>
      run(place, sample, 'return host.take({ form, size, value: make(form, size) })', { functions }),
  },
  'result of a function of a run': {
    members: ['RunOptions.functions', 'RunFunction.handler'],
    run: (place, sample) =>
      run(place, sample, 'return check(form, size, await host.give({ form, size }))', { functions }),
  },
  'call that a run leaves behind': {
    members: ['Bus.run'],
    async run(place, sample) {
      let taken: unknown
      const take = ({ value }: { value: unknown }): void => void (taken = value)
      await run(place, sample, 'void host.take({ value: make(form, size) }); return 1', {
        functions: { host: { take } },
      })
      check(sample.form, sample.size, taken)
    },
  },
  'event that a run leaves behind': {
    members: ['Bus.run'],
    async run(place, sample) {
      const expected = await expectInHost(place, { event: sample.id, ...sample })
      await run(place, sample, 'void emit(args.id, make(form, size)); return 1', { args: { id: sample.id } })
      await expected.arrived()
    },
  },
  'data of a run that is interrupted': {
    members: ['CommandContext.interrupt', 'InterruptedRun.data'],
    kinds: SCRIPTS,
    async run(place, sample) {
      const { data } = await interrupt(place, sample, `return invoke('interrupt', { form, size })`)
      check(sample.form, sample.size, (data as { value: unknown }).value)
    },
  },
  'answer of a run that is resumed': {
    members: ['Bus.resume'],
    kinds: SCRIPTS,
    async run(place, sample) {
      const { continuation } = await interrupt(place, sample, `${ASK}; return check(form, size, answer.value)`)
      await resume(place, continuation, { value: { value: make(sample.form, sample.size) } })
    },
  },
  'error of a run that is resumed': {
    members: ['Bus.resume'],
    kinds: SCRIPTS,
    async run(place, sample) {
      const code = `try { ${ASK} } catch (error) { return check(form, size, error.commandData.value) }`
      const { continuation } = await interrupt(place, sample, code)
      const data = { value: make(sample.form, sample.size) }
      await resume(place, continuation, { error: new CommandError('NO', 'no', { data }) })
    },
  },
  'state of a run that is interrupted': {
    members: ['InterruptedRun.continuation'],
    kinds: SCRIPTS,
    async run(place, sample) {
      const { continuation } = await interrupt(place, sample, `const kept = make(form, size); ${ASK}; return kept`)
      check(sample.form, sample.size, await resume(place, continuation, { value: 1 }))
    },
  },
}

/** All ways, by name. */
export const WAYS: Readonly<Record<string, Way>> = {
  ...calls,
  ...servers,
  ...proxies,
  ...events,
  ...others,
  ...Object.fromEntries(
    Object.entries(runs).map(([name, way]): [string, Way] => [name, { kinds: RUNS, isCostly: true, ...way }]),
  ),
}

/** What one label has printed, and what was lost of it: each of them is told. */
class Printed {
  text = ''
  lost = 0
  length = 0
  expected = 0
  #waiting = new Set<() => void>()

  take(text: string): void {
    const [, lost] = /^\nOutput lost: (\d+) characters/.exec(text) ?? []
    if (lost === undefined) {
      this.text += text
      this.length += text.length
    } else this.lost += Number(lost)
    for (const check of this.#waiting) check()
  }

  /** Resolves once all that was printed has arrived, or was told to be lost. */
  complete(): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (this.length + this.lost < this.expected) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}

class Output {
  readonly #printed = new Map<string, Printed>()
  readonly #lines = new Map<string, (line: Record<string, unknown>) => void>()

  readonly onStdio = (text: string, { label }: { label: string }): void => this.#of(label).take(text)

  /** A stream for the log. */
  readonly log = {
    write: (line: string): void => {
      const record = JSON.parse(line) as Record<string, unknown>
      this.#lines.get(String(record['event']))?.(record)
    },
  }

  expectLine(id: string): Promise<Record<string, unknown>> {
    return new Promise(resolve => this.#lines.set(id, resolve))
  }

  async check(place: Place, id: string, size: number): Promise<void> {
    const printed = this.#of(label(place))
    const { lost } = printed
    const text = `<${id}>`
    const shown = toShown(place.kind, `${text}${make('text', size) as string}`)
    printed.expected += shown.length + 1
    await ask(place, 'print', { text, size, stream: 'log' })
    await printed.complete()
    if (printed.length + printed.lost > printed.expected) throw new Error('More was printed than was asked')
    if (printed.lost === lost && !printed.text.includes(`${shown}\n`)) throw new Error('The output was changed')
  }

  #of(name: string): Printed {
    let printed = this.#printed.get(name)
    if (!printed) this.#printed.set(name, (printed = new Printed()))
    return printed
  }
}

const modules = Object.fromEntries(
  ['functions.mjs', 'values.mjs'].map(name => [name, readFileSync(fixture(`ways/${name}`), 'utf8')]),
)
const script = { name: 'frontend.mjs', source: readFileSync(fixture('ways/frontend.mjs'), 'utf8'), modules }

async function openPlace(bus: Bus, kind: Kind, name: string, options: FrontendOptions): Promise<void> {
  if (kind === 'connection') {
    const { onStdio: _, ...more } = options
    const client = await bus.connect(name, more)
    client.expose(createFrontend(client, CommandError) as never)
    hosts.set(bus, hosts.get(bus) ?? client)
    return
  }
  const module = kind.startsWith('script') ? script : fixture('ways/frontend.mjs')
  await bus.open(name, module, { ...options, sandbox: SANDBOXES[kind]! })
}

/** Starts a bus, which has a frontend of each kind. */
async function startPlaces(name: BusName): Promise<{ bus: Bus; places: Record<Kind, Place> }> {
  const { codec, isIsolated, isInThread } = BUSES[name]
  const core = fixture('ways/core.mjs')
  const output = new Output()
  const { isolation: pattern } = isolation('judge')
  const bus = await createBus({
    core: isInThread ? await definitionIn(core) : core,
    codec,
    ...(isIsolated && { isolation: pattern! }),
    config: { plugins: { ways: Object.fromEntries([...SIZES, MANY_BYTES].map(size => [size, make('text', size)])) } },
    runs: { key: new Uint8Array(32).fill(7) },
    log: pino({ level: 'info' }, output.log),
    onConfirm: text => text.length <= MAX_CONFIRM_TEXT,
    // A machine that is busy is no fault.
    supervision: { heartbeat: false },
  })
  const commands = createServing(CommandError)
  await bus.addPlugin({
    name: 'added',
    commands: { take: commands['take'], give: commands['give'], fail: commands['fail'] } as never,
  })
  const allow = ['*', ...['take', 'give', 'fail'].map(command => `plugin:added|${command}`)]
  await Promise.all(KINDS.map(kind => openPlace(bus, kind, LABELS[kind], { allow, onStdio: output.onStdio })))
  const places = Object.fromEntries(KINDS.map(kind => [kind, { bus, kind, output }]))
  return { bus, places: places as never }
}

/** How often each way was crossed. */
const crossings = new Map<string, number>()
let crossed = 0

/** Beyond this size only two of the four values have that of the row: most of the time goes into texts, which are parsed. */
const MANY_BYTES = MIN_ATTACHMENT_BYTES + 1

/** Sends four values at once over one way: of a costly one, those of the size of the row. */
async function cross(place: Place, name: string, size: number): Promise<void> {
  const { run: go, forms = FORMS, isCostly } = WAYS[name]!
  const turn = crossings.get(name) ?? 0
  crossings.set(name, turn + 1)
  const id = `w${++crossed}`
  const values = forms.map((form, index) => {
    const isLarge = form === 'bytes' || index === turn % 3
    return { isLarge, form, size: isLarge ? size : Math.min(size, MANY_BYTES), id: `${id}-${index}` }
  })
  const isSent = ({ isLarge }: (typeof values)[number]): boolean => isLarge || !isCostly || isMatrix
  await Promise.all(values.filter(isSent).map(({ isLarge: _isLarge, ...value }) => go(place, value)))
}

/** The row that is being crossed: one that hangs is known by nothing else. */
let current: string | undefined

/** Crosses rows of one bus. */
async function crossRows(name: BusName, table: readonly WayRow[]): Promise<void> {
  const { bus, places } = await startPlaces(name)
  const mine = table
    .filter(row => row[0] === name)
    .map(row => [`${row[1]} (${row[2]}, ${row[3]} bytes, beside ${row[4] ?? 'nobody'})`, row] as const)
  try {
    await rows(Object.fromEntries(mine))(async ([, way, kind, size, company = 'nobody'], row) => {
      current = row
      const stopCore = (ms: number): Promise<unknown> => hostClient(places[kind]).invoke('stop_core', { ms })
      await crossBeside(company, bus, SANDBOXES[kind], stopCore, () => cross(places[kind], way, size))
    })
    current = undefined
  } finally {
    await bus.close({ timeout: 0 })
  }
}

/** @param timeout - of the rows of one bus, in milliseconds */
export const testRows = (table: readonly WayRow[], timeout: number): void =>
  test.each(BUS_NAMES.filter(bus => table.some(([name]) => name === bus)))(
    'a value of each size crosses on every way: %s',
    async bus => {
      onTestFailed(() => console.error(`The last row was ${String(current)}`))
      await crossRows(bus, table)
    },
    timeout,
  )

type WayRow = readonly [bus: BusName, way: string, kind: Kind, size: number, company?: Company]

const getKinds = (way: string): readonly Kind[] => WAYS[way]!.kinds ?? KINDS
const isKindOf = ([, way, kind]: WayRow): boolean => getKinds(way).includes(kind)
const WAY_NAMES = Object.keys(WAYS)
const COSTLY = WAY_NAMES.filter(way => WAYS[way]!.isCostly)
const PLAIN_WAYS = WAY_NAMES.filter(way => !WAYS[way]!.isCostly)
const LARGE = [MIN_ATTACHMENT_BYTES + 1, CHANNEL_READ_AHEAD + 1]

const combinePlain = (sizes: readonly number[], count: number): WayRow[] =>
  combine([BUS_NAMES, PLAIN_WAYS, KINDS, sizes], count, isKindOf)
/** Each kind of neighbours, and each kind with a core that is stopped, over ways in turn; or each pair of them all. */
function companyRows(isAll: boolean): WayRow[] {
  const all = COMPANY.filter(company => company !== 'nobody')
  if (isAll)
    return combine([BUS_NAMES, WAY_NAMES, KINDS, [0, ...LARGE], all], 2, ([bus, way, kind, size]) =>
      isKindOf([bus, way, kind, size]),
    )
  return all.flatMap((company, at) => {
    const ways = PLAIN_WAYS.filter(way => getKinds(way).length === KINDS.length)
    // A connection and a thread have the neighbours of `permission`.
    const kinds = company === 'neighbours' ? KINDS.filter(kind => kind !== 'connection' && kind !== 'thread') : KINDS
    return kinds.map((kind, index): WayRow => {
      const way = ways[((at * KINDS.length + index) * 5) % ways.length]!
      return [FEW_BUSES[(at + index) % FEW_BUSES.length]!, way, kind, LARGE[0]!, company]
    })
  })
}
/** With large values only. */
const costlyPairs = (): WayRow[] => combine([BUS_NAMES, COSTLY, KINDS, LARGE], 2, isKindOf)

/** Each pair of bus, way, kind and size. */
const pairRows = (): WayRow[] => [...combinePlain(SIZES, 2), ...costlyPairs()]

/** Of the rows of each way on one of four buses, every third is in `npm test`, and of a costly way every fourth. */
const isEarly = (): ((row: WayRow) => boolean) => {
  // Ways begin at different rows: these are of different kinds and sizes.
  const counts = new Map(WAY_NAMES.map((way, at) => [way, at]))
  return ([bus, way]) => {
    if (!FEW_BUSES.includes(bus)) return false
    const count = counts.get(way)!
    counts.set(way, count + 1)
    return count % (WAYS[way]!.isCostly ? 4 : 3) === 0
  }
}

/** A part of all pairs, with each way. */
export const fewRows = (): WayRow[] => pairRows().filter(isEarly())

/** The pairs that `fewRows` leaves out, and who else runs. */
export function otherRows(): WayRow[] {
  const inFew = isEarly()
  return [...pairRows().filter(row => !inFew(row)), ...companyRows(false)]
}

/** Each three of bus, way, kind and size; each pair of what starts a process each time; and each pair with who else runs. */
export const tripleRows = (): WayRow[] => [...combinePlain(SIZES, 3), ...costlyPairs(), ...companyRows(true)]
