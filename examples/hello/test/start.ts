// Starts the example's core for a test, in either pattern, with this thread as the frontend 'tests'.
import { createBus, type Bus, type BusEvent, type BusOptions, type Client, type CodecName } from '@sallyport/core'
import { expect } from 'vitest'
import core from '../core.js'

export interface Running {
  bus: Bus
  client: Client
}

const ALL = Object.keys(core.commands).map(name => `allow-${name.replaceAll('_', '-')}`)

export interface Chosen extends Pick<BusOptions, 'log' | 'onConfirm'> {
  codec?: CodecName
  /** The relative directory of an isolation app. Without one the pattern is brownfield. */
  hook?: string
  legacyMessages?: boolean
  /** In the isolation pattern; all commands unless given. */
  permissions?: string[]
}

export async function start(chosen: Chosen): Promise<Running> {
  const { codec = 'json', hook, legacyMessages = false, permissions = ALL, ...options } = chosen
  const isolated: Pick<BusOptions, 'isolation' | 'capabilities'> = {
    isolation: { dir: new URL(`${hook}/`, import.meta.url), legacyMessages },
    capabilities: [{ identifier: 'tests', windows: ['tests'], permissions }],
  }
  const bus = await createBus({
    core: new URL('../core.js', import.meta.url),
    ...{ log: false, codec },
    ...options,
    ...(hook !== undefined && isolated),
  })
  return { bus, client: await bus.connect('tests') }
}

/** The error that a promise rejects with: `reason`, `message` and `data` are a `BusError`'s. */
export const failure = (call: Promise<unknown>): Promise<any> =>
  call.then(
    value => expect.fail(`it gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )

/** Waits for the next such event; resolves once the listener is in place. */
export function next(where: Pick<Client, 'once'>, name: string): Promise<{ event: Promise<BusEvent> }> {
  return new Promise((resolve, reject) => {
    const event = new Promise<BusEvent>(received => {
      where.once(name, received).then(() => resolve({ event }), reject)
    })
  })
}
