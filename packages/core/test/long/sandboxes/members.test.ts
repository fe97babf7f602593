// What each kind of member promises, however its code runs: it has what is its own, and whatever happens to one leaves the others as they are, unless
// the thread or process ends that they share.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isUnsentError } from '@sallyport/protocol/internal/errors'
import { describe, expect, test } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { Bus, BusEvents, FrontendOptions, RunOptions } from '../../../src/index.js'
import {
  CODE,
  count,
  getReason,
  KINDS,
  memberApps,
  open,
  openWatched,
  startMembers,
  TEMPORARY,
} from '../../support/members.js'
import { getFrontendPids, isRunning } from '../../support/processes.js'
import { next } from '../../support/start.js'
import { writeProject } from '../../support/project.js'
import { watch, workers } from '../../support/shared-threads.js'
import { settle, takeClock } from '../../support/supervised.js'

const linux = process.platform === 'linux'
/** The first does or has something, and the second is counted: nothing of the first must reset it. */
const PAIR = ['a', 'b'] as const
const CALM = { timeout: 60_000 } as const

const collectFaults = (bus: Bus): BusEvents['fault'][] => {
  const faults: BusEvents['fault'][] = []
  bus.on('fault', fault => void faults.push(fault))
  return faults
}

const kinds = KINDS.map(kind => [kind.name, kind] as const)

// A process that was started ahead, and one of several scripts, have all that a process of one member has.
describe.each(choose(kinds, 0, 1, 3, 5))('%s', (_name, kind) => {
  test.each(memberApps)('has its own label, data, rights and state: %s', async (_pattern, app) => {
    const bus = await startMembers(app)
    await open(bus, kind, ['a'], { data: 1 })
    await bus.open('b', CODE, { sandbox: kind.place, data: { bytes: new Uint8Array(3) }, allow: [] })
    expect(await bus.call('a', 'about')).toEqual(['a', 1])
    expect(await bus.call('b', 'about')).toMatchObject(['b', {}])
    expect([await count(bus, 'a'), await count(bus, 'a'), await count(bus, 'b')]).toEqual([1, 2, 1])
    expect(await bus.call('a', 'greet')).toBe('Hello, a!')
    await expect(bus.call('b', 'greet')).rejects.toThrow(/not allowed/)
  })

  test('keeps to the quota of its label', async () => {
    const bus = await startMembers({ calls: { quotas: [{ labels: ['a'], rate: 1 }] } })
    await open(bus, kind, PAIR)
    const greet = (label: string) => bus.call(label, 'greet').catch(getReason)
    const greetings = PAIR.map(label => `Hello, ${label}!`)
    expect([await greet('a'), await greet('b'), await greet('a'), await greet('b')]).toEqual([
      ...greetings,
      'Overloaded',
      greetings[1],
    ])
  })

  test('cannot change what another one sees', async () => {
    const bus = await startMembers()
    await open(bus, kind, PAIR)
    await bus.call('a', 'change')
    expect(await bus.call('b', 'seen')).toEqual([null, null, '1'])
    expect(await bus.call('a', 'about')).toHaveProperty('0', 'a')
  })

  test('takes and returns a mebibyte', async () => {
    const bus = await startMembers()
    await open(bus, kind, ['a'])
    const value = 'x'.repeat(2 ** 20)
    expect((await bus.call('a', 'echo', { value })) as object).toEqual({ value })
  })

  test('prints under its own label, more than a chunk, with characters of two code units', async () => {
    const bus = await startMembers()
    const printed: Record<string, string> = {}
    const onStdio: FrontendOptions['onStdio'] = (text, { label, stream }) =>
      void (printed[`${label} ${stream}`] = (printed[`${label} ${stream}`] ?? '') + text)
    await open(bus, kind, PAIR, { onStdio })
    await bus.call('a', 'print', { lines: 50 })
    await bus.call('b', 'print', { lines: 1 })
    await bus.closeFrontend('a', CALM)
    const line = `x${'\u{1f600}'.repeat(3000)}\n`
    const expected = { 'a stdout': line.repeat(50), 'a stderr': 'b\n', 'b stdout': line, 'b stderr': 'b\n' }
    await expect.poll(() => printed).toEqual(expected)
  })

  test('fails alone if its code does not load, or is refused', async () => {
    const bus = await startMembers()
    await open(bus, kind, ['a'])
    const openCode = (label: string, source: string, options: FrontendOptions = {}): Promise<unknown> =>
      bus.open(label, { source, name: 'it.js' }, { sandbox: kind.place, ...options })
    await expect(openCode('b', 'throw new Error("no")')).rejects.toThrow('no')
    for (const wrong of ['const a = (', 'import "node:none"'])
      await expect(openCode('b', wrong)).rejects.toMatchObject({ reason: 'LoadFailed' })
    const labels = ['refused', 'd', 'e']
    const opened = await Promise.allSettled(
      labels.map(label => openCode(label, '', { allow: label === 'refused' ? ['none'] : [] })),
    )
    expect(opened.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(await count(bus, 'a')).toBe(1)
  })

  test('stops its timers, settles its calls and frees its label when it is closed', async () => {
    const bus = await startMembers()
    await open(bus, kind, PAIR)
    const ticks: string[] = []
    await bus.listen<string>('tick', ({ payload }) => void ticks.push(payload))
    for (const label of PAIR) await bus.call(label, 'tick')
    await expect.poll(() => new Set(ticks).size).toBe(2)
    const pending = bus.call('a', 'never').catch(getReason)
    await bus.closeFrontend('a')
    expect(await pending).toBe('Disconnected')
    ticks.length = 0
    await expect.poll(() => ticks.length).toBeGreaterThan(5)
    expect(new Set(ticks)).toEqual(new Set(['b']))
    await bus.open('a', CODE, { sandbox: kind.place })
    expect([await count(bus, 'a'), await count(bus, 'b')]).toEqual([1, 1])
  })

  test('is closed alone while it computes', async () => {
    const bus = await startMembers()
    await open(bus, kind, PAIR)
    const faults = collectFaults(bus)
    const loops = next(bus, 'loops')
    const looping = bus.call('a', 'loop', { how: 'spin' }).catch(getReason)
    await loops
    await bus.closeFrontend('a', { timeout: 0 })
    expect(await looping).toBe('Disconnected')
    expect(await count(bus, 'b')).toBe(1)
    // It can take the order to stop before its loop begins, and then has not said that all has left.
    expect(faults.filter(({ label, error }) => label !== 'a' || !isUnsentError(error))).toEqual([])
  })

  test('reads its file again with a reload, alone', async () => {
    const bus = await startMembers()
    const write = (version: number): string =>
      `import { expose } from '${kind.client}'; let count = 0; expose({ version: () => ${version}, count: () => ++count })`
    const directory = writeProject({ 'a.mjs': write(1), 'b.mjs': write(1) })
    for (const label of PAIR)
      await bus.open(label, pathToFileURL(join(directory, `${label}.mjs`)), { sandbox: kind.place })
    expect(await count(bus, 'b')).toBe(1)
    writeFileSync(join(directory, 'a.mjs'), write(2))
    await bus.reload('a')
    expect([await bus.call('a', 'version'), await bus.call('b', 'version')]).toEqual([2, 1])
    expect(await count(bus, 'b')).toBe(2)
  })

  test.each(memberApps)('what it has sent before it is closed or reloaded arrives: %s', (_pattern, app) =>
    rows(['close', 'reload'])(async how => {
      const bus = await startMembers(app)
      await open(bus, kind, ['a'])
      const sent: number[] = []
      const faults = collectFaults(bus)
      await bus.listen<[number, string]>('sent', ({ payload }) => void sent.push(payload[0]))
      await bus.call('a', 'send', { count: 100, length: 10_000 })
      await (how === 'close' ? bus.closeFrontend('a', CALM) : bus.reload('a'))
      // A reload gives a process 250 ms, which are not enough on a busy machine: then it is told.
      const isTold = (): boolean => how === 'reload' && faults.some(({ error }) => isUnsentError(error))
      await expect.poll(() => sent.length === 100 || isTold()).toBe(true)
      expect(sent).toEqual(Array.from(sent, (_, n) => n))
      await bus.close({ timeout: 0 })
    }),
  )

  test('ends and restarts alone with an error that it does not catch', async () => {
    const bus = await startMembers()
    await open(bus, kind, PAIR)
    await bus.open('denied', CODE, { sandbox: kind.place, allow: [] })
    const { faults, restarts } = watch(bus)
    let calls = 0
    await rows<[how: string, label: string, message: unknown]>([
      ...['in a timer', 'in a microtask', 'in a promise', 'after an answer', 'in a listener'].map(
        (how): [string, string, unknown] => [how, 'a', `a: ${how}`],
      ),
      ['from a denied call', 'denied', expect.stringMatching(/^denied: .*\badd\b/)],
      ['a value that is no error', 'a', expect.stringMatching(/^a: ./)],
    ])(async (how, label, message) => {
      faults.length = restarts.length = 0
      await bus.call(label, 'fail', { how }).catch(() => {})
      await expect.poll(() => restarts).toEqual([label])
      await expect.poll(() => count(bus, label)).toBe(1)
      expect(await count(bus, 'b')).toBe(++calls)
      expect(faults).toEqual([message])
    })
  })

  test('ends and restarts alone if it loops', async () => {
    takeClock('polls of heartbeats')
    await rows(['spin', 'expression'])(async how => {
      const bus = await startMembers()
      await open(bus, kind, ['b'])
      const { place, options } = kind.loops
      await bus.open('a', CODE, { sandbox: { ...kind.place, ...place } as typeof kind.place, allow: '*', ...options })
      await count(bus, 'b')
      const faults = collectFaults(bus)
      const { restarts } = watch(bus)
      const looping = bus.call('a', 'loop', { how }).catch(getReason)
      await settle(looping)
      expect(await looping).toBe('Disconnected')
      await expect.poll(() => restarts).toEqual(['a'])
      await expect.poll(() => count(bus, 'a')).toBe(1)
      expect(await count(bus, 'b')).toBe(2)
      expect(faults).toMatchObject([{ label: 'a', error: kind.looped('a') }])
      await bus.close({ timeout: 0 })
    })
  })

  test('ends alone, with its limit, if it fills its memory', () =>
    rows(kind.memory)(async how => {
      const bus = await startMembers()
      await open(bus, kind, PAIR, TEMPORARY)
      await count(bus, 'b')
      const faults = collectFaults(bus)
      expect(await bus.call('a', 'fill', { how }, CALM).catch(getReason)).toBe('Disconnected')
      await expect.poll(() => faults).toMatchObject([{ label: 'a', error: kind.filled('a') }])
      expect(await count(bus, 'b')).toBe(2)
      await bus.close({ timeout: 0 })
    }))

  test('leaves the others their answers if it floods', async () => {
    const bus = await startMembers()
    const printed = new Set<string>()
    const options: FrontendOptions = { onStdio: (_text, { label }) => void printed.add(label) }
    await open(bus, kind, ['b'], options)
    let calls = 0
    await rows(['output', 'events', 'calls'])(async how => {
      await bus.open('a', CODE, { sandbox: kind.place, allow: '*', ...options })
      await bus.call('a', 'flood', { how })
      for (let n = 0; n < 20; n++) expect(await bus.call('b', 'count', {}, CALM)).toBe(++calls)
      await bus.closeFrontend('a')
      expect(await count(bus, 'b')).toBe(++calls)
    })
    expect(printed).not.toContain('b')
  })

  test.each(memberApps)(
    'goes on with a core that restarts, which is no restart of its own: %s',
    async (_pattern, app) => {
      const bus = await startMembers(app)
      await open(bus, kind, PAIR)
      const { faults, restarts } = watch(bus)
      for (let round = 0; round < 2; round++) {
        await bus.reload('core')
        for (const label of PAIR)
          await expect.poll(() => bus.call(label, 'greet').catch(getReason)).toBe(`Hello, ${label}!`)
      }
      expect({ faults, restarts }).toEqual({ faults: [], restarts: [] })
    },
  )

  test('runs code once, which leaves nothing for the next run', async () => {
    const bus = await startMembers()
    await open(bus, kind, ['a'])
    const late: unknown[] = []
    await bus.listen('late', ({ payload }) => void late.push(payload))
    const options: RunOptions = { sandbox: kind.place, allow: '*', ...CALM }
    const left = `
        globalThis.kept = 1
        try { Array.prototype.kept = 1 } catch {}
        setInterval(() => emit('late', 1), 1)
        await listen('news', () => emit('late', 2))
        invoke('slow', { ms: 1 }).then(() => emit('late', 3), () => {})
        return invoke('greet', { name: 'x' })`
    expect(await bus.run(left, options)).toBe('Hello, x!')
    await bus.stats()
    late.length = 0
    await bus.emit('news')
    const later = `for (let n = 0; n < 20; n++) await new Promise(resolve => setTimeout(resolve, 1))
        return [args, typeof kept, typeof [].kept]`
    expect(await bus.run(later, { ...options, args: { b: 1 } })).toEqual([{ b: 1 }, 'undefined', 'undefined'])
    expect(late).toEqual([])
    await expect(bus.run('throw new Error("no")', options)).rejects.toThrow('no')
    await expect(bus.run('return (', options)).rejects.toMatchObject({ reason: 'LoadFailed' })
    expect(bus.frontends().filter(({ label }) => !['a', 'first'].includes(label))).toEqual([])
    expect(await count(bus, 'a')).toBe(1)
  })

  test('ends with its bus while it computes, and while it floods', async () => {
    const bus = await startMembers()
    const { hosts } = await openWatched(bus, kind, ['a', 'b', 'c'])
    const faults = collectFaults(bus)
    await bus.call('b', 'flood', { how: 'calls' })
    const loops = next(bus, 'loops')
    bus.call('a', 'loop', { how: 'spin' }).catch(() => {})
    await loops
    await bus.close({ timeout: 0 })
    expect(getFrontendPids()).toEqual([])
    expect(hosts.threads.filter(({ threadId }) => threadId !== -1).length).toBe(0)
    // What a flood has not sent is lost, which can be a fault.
    expect(faults.filter(({ label }) => label !== 'b')).toEqual([])
  })
})

describe.each(kinds)('%s', (_name, kind) => {
  test.runIf(linux)('shares as much as its kind says, and nothing is left of it', async () => {
    const bus = await startMembers()
    await open(bus, kind, ['a', 'b', 'c'])
    const countHosts = () => [workers.filter(({ threadId }) => threadId !== -1).length, getFrontendPids().length]
    await expect.poll(countHosts).toEqual(kind.hosts)
    for (const { label } of bus.frontends()) await bus.closeFrontend(label)
    await expect.poll(countHosts).toEqual(kind.kept)
    await bus.close()
    expect(countHosts()).toEqual([0, 0])
  })

  test.runIf(linux)('ends and restarts with its host, and the others do not', () =>
    rows(kind.ends.map(each => [each.host, each] as const))(async (_host, { end, takes, ended, fault }) => {
      const bus = await startMembers()
      const labels = ['a', 'b', 'c']
      const { hosts, faults, restarts } = await openWatched(bus, kind, labels)
      for (const label of labels) await count(bus, label)
      const calls = takes.map(label => bus.call(label, 'never').catch(getReason))
      await end(hosts, bus)
      expect(await Promise.all(calls)).toEqual(takes.map(() => 'Disconnected'))
      const ofMembers = (all: readonly string[]): string[] => all.filter(text => !text.startsWith('first')).toSorted()
      await expect.poll(() => ofMembers(restarts)).toEqual(takes)
      for (const label of labels) await expect.poll(() => count(bus, label)).toBe(takes.includes(label) ? 1 : 2)
      expect(ofMembers(faults)).toEqual(takes.map(label => expect.stringContaining(`${label}: `)))
      await expect.poll(() => ended(hosts.pids).filter(isRunning)).toEqual([])
      for (const [at, label] of takes.entries()) expect(ofMembers(faults)[at]).toContain(fault(label))
      await bus.close({ timeout: 0 })
    }),
  )
})
