// Starts buses for the tests, over the fixtures next to this file, and ends them after each test.
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import {
  createBus,
  type Bus,
  type BusOptions,
  type Capability,
  type Client,
  type CodecName,
  type CoreDefinition,
} from '../../src/index.js'
import { openExternalFrontend } from '../../src/internal.js'
import { afterTests, choose } from '../../../../scripts/testing.js'

export const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url)

export const everyCommand: Capability = {
  identifier: 'every-command',
  windows: ['*'],
  permissions: [
    ...['greet', 'add', 'slow', 'echo', 'body', 'bytes', 'fails', 'fails-with-value', 'rejects', 'unsendable'],
    ...['weigh', 'give', 'keep', 'stream'],
    ...['heavy', 'count', 'seen', 'log-line', 'fails-in-system', 'endless', 'never-ends', 'forget'],
  ].map(name => `allow-${name}`),
}

const open: Bus[] = []
afterTests.each.push(() => Promise.all(open.splice(0).map(bus => bus.close({ timeout: 0 }))))

const isProject = (config: BusOptions['config']): boolean => typeof config === 'string' || config instanceof URL

/** Lets frontends without `allow` call every command, as most tests need, unless there are capabilities. */
export function allowAll<Options extends Partial<BusOptions>>(options: Options): Options {
  const { frontends, config, capabilities } = options
  if (!frontends || Array.isArray(frontends) || isProject(config) || capabilities) return options
  const entries = Object.entries(frontends).map(([label, frontend]) => {
    if (typeof frontend !== 'object') return [label, frontend] as const
    return [label, { allow: '*', ...(frontend instanceof URL ? { module: frontend } : frontend) }] as const
  })
  return { ...options, frontends: Object.fromEntries(entries) }
}

export async function start(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await createBus({ core: fixture('core.mjs'), log: false, ...allowAll(options) })
  open.push(bus)
  return bus
}

/**
 * The isolation pattern with the hook in `fixtures/isolation/hooks/<name>`, and every command allowed. Its hooks return, and none counts as stuck,
 * however busy the machine is: a test of hooks that hang gives a `hookTimeout`.
 */
export function isolation(
  hook?: string,
  options: { legacyMessages?: boolean; hookTimeout?: number } = {},
  allowed: Capability = everyCommand,
): Partial<BusOptions> {
  const dir = hook === undefined ? {} : { dir: fixture(`isolation/hooks/${hook}/`) }
  return { isolation: { ...dir, hookTimeout: 60_000, ...options }, capabilities: [allowed] }
}

const allPatterns: [name: string, app: Partial<BusOptions>][] = [
  ['brownfield', {}],
  ['isolation', isolation('judge')],
]
export const patterns: typeof allPatterns = choose(allPatterns)

/** Each sandbox, and a gate in front of one: frontends differ by their sandbox, and a gate does not see which they have. */
export const places: [name: string, app: Partial<BusOptions>, sandbox: 'none' | 'permission' | 'process'][] =
  allPatterns.flatMap(([name, app]) =>
    (name === 'isolation' ? (['permission'] as const) : (['none', 'permission', 'process'] as const)).map(
      (sandbox): (typeof places)[number] => [`${name}, sandbox: ${sandbox}`, app, sandbox],
    ),
  )

const allCodecs: CodecName[] = ['json', 'msgpack']

type Connected = { bus: Bus; client: Client }

/** `connect(options)` starts a bus; `connect('shared')` returns a bus and a client that tests share if they leave nothing behind. */
type Route = [name: string, connect: (options?: Partial<BusOptions> | 'shared') => Promise<Connected>]

/** A client under the label `tests`, with each pattern and codec. */
export const everyRoute: Route[] = routesIn(allPatterns, {})

const isCommon = ([name]: Route): boolean => !name.startsWith('isolation with core in this thread')

/** All routes but isolation with core in this thread: its gate sends to core as to a worker. */
export const routes: Route[] = choose(everyRoute.filter(isCommon))

/** Routes to another core module, in which each frontend may call these commands. */
export function routesTo(core: URL, commands: readonly string[]): Route[] {
  const permissions = commands.map(name => `allow-${name.replaceAll('_', '-')}`)
  const capability: Capability = { identifier: 'all', windows: ['*'], permissions }
  const apps: typeof allPatterns = [
    ['brownfield', {}],
    ['isolation', isolation('judge', {}, capability)],
  ]
  return choose(routesIn(apps, { core }).filter(isCommon))
}

/** Buses of the tests of a file, by what creates each. */
const shared = new Map<() => Promise<Bus>, Promise<Bus>>()
const reused: Bus[] = []
afterTests.all.push(async () => {
  const buses = [...shared.values()]
  shared.clear()
  reused.length = 0
  for (const bus of buses) await (await bus).close({ timeout: 0 })
})

/** Starts a shared bus on first use in a file. */
function shareBus(create: () => Promise<Bus>): () => Promise<Bus> {
  return () => {
    const bus = shared.get(create) ?? create()
    shared.set(create, bus)
    return bus
  }
}

afterTests.each.push(async () => {
  for (const bus of reused)
    // A frontend can have ended meanwhile.
    for (const label of Object.keys((await bus.stats()).frontends)) await bus.closeFrontend(label).catch(() => {})
})

/** Returns a function that returns the same bus to each test, and starts it on first use. After each test its frontends are closed. */
export const reuseBus = (options: Partial<BusOptions> = {}): (() => Promise<Bus>) =>
  shareBus(async () => {
    const bus = await createBus({ core: fixture('core.mjs'), log: false, ...options })
    reused.push(bus)
    return bus
  })

function routesIn(apps: typeof allPatterns, usual: Partial<BusOptions>): Route[] {
  return apps.flatMap(([name, app], pattern) => {
    const route = (title: string, codec: CodecName, isInThread: boolean): Route => {
      const create = async (options: Partial<BusOptions> = {}): Promise<Bus> => {
        const { core = fixture('core.mjs'), ...more } = { ...usual, ...options }
        return createBus({
          ...app,
          core: isInThread ? await definitionIn(core as URL) : core,
          log: false,
          codec,
          ...more,
        })
      }
      const share = shareBus(() => create())
      const join = async (bus: Bus): Promise<Connected> => ({
        bus,
        client: await bus.connect('tests'),
      })
      const joined = new WeakMap<Promise<Bus>, Promise<Connected>>()
      const connect: Route[1] = async options => {
        if (options === 'shared') {
          const bus = share()
          const both = joined.get(bus) ?? bus.then(join)
          joined.set(bus, both)
          return both
        }
        const bus = await create(options)
        open.push(bus)
        return join(bus)
      }
      return [title, connect]
    }
    return [
      ...allCodecs.map(codec => route(`${name}, ${codec}`, codec, false)),
      route(`${name} with core in this thread`, allCodecs[pattern]!, true),
    ]
  })
}

let lives = 0

/** Imports a core module, as a new module each time: every definition has its own state. */
export async function definitionIn(module: URL): Promise<CoreDefinition> {
  const url = `${module.href}?life=${++lives}`
  return ((await import(/* @vite-ignore */ url)) as { default: CoreDefinition }).default
}

/** Resolves with the first event of this name. */
export function next<T>(bus: Pick<Bus, 'once'>, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    bus.once<T>(event, ({ payload }) => resolve(payload)).catch(reject)
  })
}

/** Opens a frontend whose code is the test. Returns a function that sends a frame of JSON as it is. */
export async function openRaw(bus: Bus, label: string): Promise<(body: string) => void> {
  const frontend = await openExternalFrontend(bus, 'a test', label, { allow: '*' })
  const [link, end] = createLinkEndpoints('local')
  await new Promise<void>(connected => frontend.join({ link: openLink(link, false), connected }))
  const raw = openLink(end, true)
  raw.receive({ frame: () => {}, closed: () => {} })
  return body => raw.send({ kind: FRAME_KIND.json, body })
}
