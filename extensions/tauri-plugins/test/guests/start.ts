// A bus with frontends that have the unmodified guests.
import { type Bus, type BusOptions, createBus, defineCore, type Plugin } from '@sallyport/core'
import type { ScopedPermission } from '@sallyport/core/internal'
import { afterTests } from '../../../../scripts/testing.js'

const module = new URL('./fixtures/guest.mjs', import.meta.url)
const open: Bus[] = []
afterTests.each.push(async () => {
  for (const bus of open.splice(0)) await bus.close()
})

export type Sandbox = 'permission' | 'process'
export type Allow = readonly (string | ScopedPermission)[]
export interface Outcome {
  value?: unknown
  error?: unknown
}

export interface StartOptions {
  plugins: Plugin[]
  /** By default the `default` of each plugin. */
  allow?: Allow
  labels?: readonly string[]
  sandbox?: Sandbox
  more?: Partial<BusOptions>
}

export interface Guests {
  bus: Bus
  /** Calls a function of a guest in the frontend `main`. */
  call(guest: string, name: string, ...args: unknown[]): Promise<Outcome>
  callIn(label: string, guest: string, name: string, ...args: unknown[]): Promise<Outcome>
}

export async function startGuests({
  plugins,
  allow = plugins.map(({ name }) => `${name}:default`),
  labels = ['main'],
  sandbox = 'permission',
  more,
}: StartOptions): Promise<Guests> {
  const frontends = Object.fromEntries(labels.map(label => [label, { module, sandbox, allow }]))
  const bus = await createBus({ core: defineCore({ plugins }), frontends, log: false, ...more })
  open.push(bus)
  const callIn: Guests['callIn'] = (label, guest, name, ...args) =>
    bus.call<Outcome>(label, 'call', { guest, name, args })
  return { bus, callIn, call: (...call) => callIn('main', ...call) }
}

export const environments: [Sandbox, Partial<BusOptions>][] = [
  ['permission', {}],
  ['process', {}],
  ['permission', { isolation: {} }],
]
