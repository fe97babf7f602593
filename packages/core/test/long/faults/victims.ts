// Frontends that will fail, each with calls in flight in every direction.
import { expect } from 'vitest'
import type { Client, FrontendOptions } from '../../../src/index.js'
import { fixture } from '../../support/start.js'
import type { Watched } from './guarantee.js'

export const at = (name: string): URL => fixture(`../long/faults/${name}`)

const commands = ['add', 'held', 'hold', 'ask']
export const everything = { identifier: 'all', windows: ['*'], permissions: commands.map(name => `allow-${name}`) }

export interface Held {
  began: number
  aborted: number
}

export interface Victim {
  label: string
  /** Calls in flight until the failure: from the host, and from another frontend through core. */
  calls: Record<string, Promise<unknown>>
  /** Counts of the frontend's own calls in core. */
  held(): Promise<Held>
}

/** @param other - a client of the bus that must not be affected */
export async function openVictim(
  { bus }: Watched,
  other: Client,
  label: string,
  options: FrontendOptions = {},
): Promise<Victim> {
  await bus.open(label, at('frontend.mjs'), { allow: '*', ...options })
  expect(await bus.call(label, 'calls')).toBe(1)
  const calls = { 'of the host': bus.call(label, 'hold'), 'of another': other.invoke('ask', { label, name: 'hold' }) }
  for (const call of Object.values(calls)) call.catch(() => {})
  const held = () => other.invoke<Held>('held', { label })
  await expect.poll(() => bus.call(label, 'holding')).toBe(2)
  await expect.poll(held).toEqual({ began: 1, aborted: 0 })
  return { label, calls, held }
}
