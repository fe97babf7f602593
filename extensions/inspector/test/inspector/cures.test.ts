// What the page gives to copy is true: each makes its trouble end on a real bus.
import type { Bus, BusOptions, ConnectionOptions, FrontendOptions } from '@sallyport/core'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Culprit } from '../../src/contract/views.js'
import { listenTo } from '../support/ask.js'
import { start } from '../support/start.js'

type Options = Partial<BusOptions> & ConnectionOptions & FrontendOptions

interface Scenario {
  bus?: Partial<BusOptions>
  /** Resolves once all of its calls have settled. */
  act(bus: Bus): Promise<unknown>
}

/** @param cure - the options or names of its code; `undefined`: the trouble is to be seen */
type Row = (cure: Options | undefined) => Scenario

const call = async (bus: Bus, name: string, options: ConnectionOptions = {}) => {
  const client = await bus.connect('main', options)
  return Promise.allSettled([client.invoke(name)])
}
const createCapability = (permissions: readonly string[]) => ({ identifier: 'main', windows: ['main'], permissions })
/** By how the code begins. */
const ROWS: Readonly<Record<string, Row>> = {
  'allow: [': cure => ({ act: bus => call(bus, 'add', { allow: [], ...cure }) }),
  "'deny-": cure => {
    const names = ['allow-add', 'deny-add'].filter(name => !(cure as readonly string[] | undefined)?.includes(name))
    return { bus: { capabilities: [createCapability(names)] }, act: bus => call(bus, 'add') }
  },
}

/** Evaluates the code of a cure as it is printed: options, or names. */
const read = (code: string): Options => runInThisContext(/^\w+:/.test(code) ? `({ ${code} })` : `[${code}]`) as Options

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
    const find = (culprits: readonly Culprit[]): Culprit['cure'] =>
      culprits.map(({ cure }) => cure).find(cure => cure?.code.startsWith(prefix))
    const troubled = await open(row(undefined))
    const { culprits } = await troubled.next(snapshot => find(snapshot.culprits) !== undefined)
    const cured = await open(row(read(find(culprits)!.code)))
    // What the calls have caused is in the second snapshot that is asked for after them.
    for (let i = 0; i < 2; i++) expect(find((await cured.next()).culprits)).toBeUndefined()
  },
)
