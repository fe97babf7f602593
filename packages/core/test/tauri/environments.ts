// Environments of the checks of @tauri-apps/api: frontend workers, and this thread with its own globals or a window of jsdom,
// in both patterns, and under both codecs.
import { installTauri } from '@sallyport/frontend/tauri'
import { JSDOM } from 'jsdom'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { choose, rows } from '../../../../scripts/testing.js'
import { createBus, type Bus, type BusOptions, type CodecName } from '../../src/index.js'

export type Checks = Record<string, () => Promise<void>>

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)

const capabilities = [
  {
    identifier: 'checks',
    windows: ['main'],
    permissions: [
      ...[
        'echo',
        'names',
        'received',
        'give',
        'give-bytes',
        'nothing',
        'fail-with',
        'fail',
        'count',
        'count-for-ever',
        'ended',
      ],
      ...['never', 'aborted', 'emit-from-core', 'open-resource', 'read-resource'],
    ]
      .map(name => `allow-${name}`)
      .concat(['probe', 'legacy'].flatMap(name => [`${name}:allow-remove-listener`, `${name}:allow-trigger`]))
      .concat(['probe:allow-register-listener', 'legacy:allow-registerListener', 'core:default']),
  },
]

export const patterns: [string, Partial<BusOptions>][] = [
  ['brownfield', { capabilities }],
  ['isolation', { capabilities, isolation: { dir: fixture('hook/') } }],
]
const codecs: CodecName[] = ['json', 'msgpack']

const program = { productName: 'Checks', version: '1.2.3', identifier: 'org.example.checks' }

export const startBus = (app: Partial<BusOptions>, options: Partial<BusOptions> = {}): Promise<Bus> =>
  createBus({ core: fixture('core.mjs'), log: false, ...app, config: program, ...options })

/** The checks are outside the frontend's directory. */
const read = [new URL('./checks/', import.meta.url)]

interface Environment {
  readonly name: string
  /** Returns a function that runs one of the checks of `checks/<file>.mjs`. */
  enter(): Promise<(file: string, name: string, checks: Checks) => Promise<void>>
  leave(): Promise<void>
}

function inItsOwn(
  pattern: string,
  app: Partial<BusOptions>,
  codec: CodecName,
  kind: 'permission' | 'process',
): Environment {
  let bus: Bus
  return {
    name: `in a ${kind === 'process' ? 'process' : 'worker'}, ${pattern}, ${codec}`,
    async enter() {
      const main = { module: fixture('frontend.mjs'), sandbox: { kind, read } }
      bus = await startBus(app, { codec, frontends: { main } })
      await new Promise<void>(resolve => void bus.once('ready-to-run', () => resolve()))
      return async (file, name) => {
        const { promise, resolve, reject } = withResolvers()
        const unlisten = await bus.listen<{ name: string; error?: string }>('ran', ({ payload }) => {
          if (payload.name !== name) return
          if (payload.error === undefined) resolve()
          else reject(new Error(payload.error))
        })
        await bus.emit('run', { file, name })
        await promise.finally(unlisten)
      }
    },
    leave: () => bus.close({ timeout: 0 }),
  }
}

function inThisThread(pattern: string, app: Partial<BusOptions>, codec: CodecName, dom: boolean): Environment {
  let bus: Bus
  let leave = (): void => {}
  return {
    name: `${dom ? 'on a window of jsdom' : 'in this thread'}, ${pattern}, ${codec}`,
    async enter() {
      bus = await startBus(app, { codec })
      const window = dom ? new JSDOM().window : undefined
      if (window) Object.assign(globalThis, { window })
      const installed = installTauri(await bus.connect('main'), window)
      leave = () => {
        installed.uninstall()
        if (window) Reflect.deleteProperty(globalThis, 'window')
      }
      return (_file, name, checks) => checks[name]!()
    },
    leave() {
      leave()
      return bus.close({ timeout: 0 })
    },
  }
}

/** A process behind a gate, this thread with a gate, and a window; the matrix has workers and the other codec too. */
const environments: Environment[] = choose(
  [
    ...patterns.flatMap(([name, app]) => codecs.map(codec => inItsOwn(name, app, codec, 'permission'))),
    inItsOwn(...patterns[1]!, 'json', 'process'),
    inThisThread(...patterns[0]!, 'json', false),
    inThisThread(...patterns[1]!, 'msgpack', false),
    inThisThread(...patterns[0]!, 'json', true),
  ],
  ...[4, 6, 7],
)

/** Runs all checks, by the name of their file, in every environment. */
export function runEverywhere(files: Record<string, Checks>): void {
  const all = Object.entries(files).flatMap(([file, checks]) =>
    Object.keys(checks).map(name => [`${file}: ${name}`, file, name, checks] as const),
  )
  describe.each(environments)('$name', environment => {
    let run: Awaited<ReturnType<Environment['enter']>>
    beforeAll(async () => void (run = await environment.enter()))
    afterAll(() => environment.leave())

    test('all checks pass', () => rows(all)((_title, file, name, checks) => run(file, name, checks)))
  })
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  return { promise, resolve, reject }
}
