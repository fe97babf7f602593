// What frontends do that is no reason to end them, and those that end for good: told to close, finished, given up.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Client, FrontendOptions } from '../../src/index.js'
import { isolation, patterns } from '../start.js'
import { checkPromise, watch, type Watched } from './promise.js'
import { at, everything, openVictim, type Victim } from './victims.js'

describe.each(patterns)('%s', (name, app) => {
  let watched: Watched
  let other: Client
  const others = () => other.invoke('add', { a: 1, b: 2 })

  beforeAll(async () => {
    const own = name === 'isolation' ? isolation(undefined, {}, everything) : app
    watched = await watch({ core: at('core.mjs'), app: own })
    other = await watched.bus.connect('other')
  })
  afterAll(() => watched.close())

  const open = (label: string, options?: FrontendOptions) => openVictim(watched, other, label, options)
  const call = (label: string, name: string, args?: object) => watched.bus.call(label, name, args)
  const toldOf = (label: string) => watched.told.filter(event => event.label === label)

  /** All that was in flight still is, in the same thread. */
  async function isLetAlone({ label, calls, held }: Victim): Promise<void> {
    const calling = Object.values(calls).map(each => Promise.race([each, Promise.resolve('in flight')]))
    expect(await Promise.all(calling)).toEqual(['in flight', 'in flight'])
    expect(await call(label, 'calls')).toBe(2)
    expect(await held()).toEqual({ began: 1, aborted: 0 })
    expect(toldOf(label)).toEqual([])
  }

  describe.concurrent.each(['port', 'ring'] as const)('over a %s', link => {
    test.each(['block', 'bytes'])('let alone: %s', async how => {
      const sandbox = { kind: 'permission', resourceLimits: { maxOldGenerationSizeMb: 48 } } as const
      const victim = await open(`${how}-${link}`, { link, sandbox, supervision: { heartbeat: 5000 } })
      await call(victim.label, 'fault', { how })
      await isLetAlone(victim)
    })

    test.each(['json', 'msgpack'] as const)(
      'let alone: answers that can’t be carried, detached buffers (%s)',
      async codec => {
        const victim = await open(`answers-${codec}-${link}`, { link, codec })
        for (const what of codec === 'json' ? ['bigint', 'cycle', 'fails'] : ['cycle']) {
          await expect(call(victim.label, 'unencodable', { what }), what).rejects.toMatchObject({
            reason: 'InternalError',
          })
          const asked = other.invoke('ask', { label: victim.label, name: 'unencodable', args: { what } })
          await expect(asked, what).rejects.toMatchObject({ reason: 'InternalError' })
        }
        expect(await call(victim.label, 'give-detached')).toBe('InvalidParams')
        await call(victim.label, 'detached').catch(({ reason }: { reason: string }) =>
          expect(reason).toBe('InternalError'),
        )
        await isLetAlone(victim)
      },
    )

    test('closed from outside: its calls settle, and its label is free', async () => {
      const victim = await open(`closed-${link}`, { link })
      const { label, calls } = victim
      const closing = watched.bus.closeFrontend(label)
      const again = async (): Promise<void> => {
        await closing
        await watched.bus.open(label, at('frontend.mjs'), { link })
      }
      const reopened = again()
      await checkPromise(watched, {
        label,
        calls,
        others,
        serves: () => reopened.then(() => call(label, 'calls')),
        told: [],
      })
      await vi.waitFor(async () => expect(await victim.held()).toEqual({ began: 2, aborted: 1 }), { timeout: 10_000 })
    })

    test('in the midst of a batch: what came before is answered or Disconnected, and nothing runs twice', async () => {
      const { label, calls } = await open(`midst-${link}`, { link })
      const batch = Array.from({ length: 100 }, (_, i) => call(label, 'count', { i, last: 60 }))
      const settled = Promise.allSettled(batch)
      const last = Object.fromEntries(batch.slice(60).map((each, i) => [`call ${60 + i}`, each]))
      await checkPromise(watched, { label, calls: { ...calls, ...last }, others, serves: () => call(label, 'calls') })
      for (const [i, outcome] of (await settled).entries()) {
        expect(outcome).toMatchObject(
          outcome.status === 'rejected' ? { reason: { reason: 'Disconnected' } } : { value: i },
        )
      }
    })

    test('a storm of restarts ends in a failure, and the label is free', async () => {
      const supervision = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
      const label = `storm-${link}`
      await watched.bus.open(label, at('frontend.mjs'), { link, supervision, data: { storm: true } })
      const calls = { 'of the host': call(label, 'hold'), 'of another': other.invoke('ask', { label, name: 'hold' }) }
      const pair = [{ name: 'fault' }, { name: 'restart', actor: 'frontend' }]
      const message = expect.stringMatching(/3 times within .* broken on purpose/) as string
      const told = [...pair, ...pair, { name: 'fault' }, { name: 'failed', actor: 'frontend', error: { message } }]
      await checkPromise(watched, { label, calls, others, serves: 'failed', told })
      await watched.bus.open(label, at('frontend.mjs'), { link })
      expect(await call(label, 'calls')).toBe(1)
    })

    test('two at once', async () => {
      const pair = await Promise.all(['one', 'two'].map(which => open(`${which}-${link}`, { link })))
      for (const { label } of pair) call(label, 'fault', { how: 'exit' }).catch(() => {})
      const check = ({ label, calls }: Victim) =>
        checkPromise(watched, { label, calls, others, serves: () => call(label, 'calls') })
      expect(await Promise.all(pair.map(check))).toEqual([1, 1])
      for (const { held } of pair)
        await vi.waitFor(async () => expect(await held()).toEqual({ began: 2, aborted: 1 }), { timeout: 10_000 })
    })
  })

  describe('code without a sandbox closes all its ports', () => {
    test('and runs on: it is ended, and started again', async () => {
      const { label, calls, held } = await open('ports', { sandbox: 'none', link: 'port' })
      call(label, 'fault', { how: 'ports' }).catch(() => {})
      await checkPromise(watched, { label, calls, others, serves: () => call(label, 'calls') })
      await vi.waitFor(async () => expect(await held()).toEqual({ began: 2, aborted: 1 }), { timeout: 10_000 })
    })

    test('and has nothing more to do: it has finished, and its label is free', async () => {
      const { label, calls } = await open('leaves', { sandbox: 'none', link: 'port' })
      call(label, 'fault', { how: 'leave' }).catch(() => {})
      const serves = async () => {
        await watched.bus.open(label, at('frontend.mjs'))
        return call(label, 'calls')
      }
      await checkPromise(watched, { label, calls, others, serves, told: [] })
    })
  })
})
