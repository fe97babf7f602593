// Scripts that share a process (`{ kind: 'quickjs', process: true, group }` or `perProcess`): what each keeps for itself, and how they end.
import { existsSync, writeFileSync } from 'node:fs'
import type { QuickjsSandbox } from '../../../src/host/sandboxes/quickjs.js'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Bus, BusEvents, FrontendOptions, RunOptions } from '../../../src/index.js'
import { getFrontendPids } from '../../support/processes.js'
import { writeProject } from '../../support/project.js'
import { isolation, patterns, start } from '../../support/start.js'
import { LONGEST } from './script-time.js'
import { rows } from '../../../../../scripts/testing.js'

const hasProc = existsSync('/proc/self/stat')

const source = `
  let count = 0
  const { expose, invoke, emit, label, data } = sallyport
  expose({
    count: () => ++count,
    label: () => [label, data],
    add: () => invoke('add', { a: 1, b: 2 }),
    change: () => { Array.prototype.toString = () => 'changed'; globalThis.mark = label },
    seen: () => [String([1]), typeof mark],
    spin: () => { for (;;); },
    explode: () => /^(a+)+$/.test('a'.repeat(40) + 'b'),
    take: () => { const kept = []; for (;;) kept.push('x'.repeat(2 ** 20) + kept.length) },
    print: async () => { for (let n = 0; n < 20_000; n++) { console.log('x'.repeat(1000)); if (n % 100 === 0) await null } },
    flood: () => { for (let n = 0; n < 200; n++) emit('noise', 'x'.repeat(50_000)).catch(() => {}) },
    ignore: async () => { for (;;) await invoke('echo', { value: 'x'.repeat(10_000) }).catch(() => {}) },
    large: () => 'x'.repeat(2 ** 20),
  })
`

const sandboxOf = (options: Partial<QuickjsSandbox> = {}): QuickjsSandbox => ({
  ...{ kind: 'quickjs', process: true, wall: 'none', perProcess: 100 },
  ...options,
})

async function open(bus: Bus, labels: string[], options: FrontendOptions = {}, sandbox?: Partial<QuickjsSandbox>) {
  const supervision = { restart: 'temporary' } as const
  const all = { supervision, allow: '*' as const, ...options, sandbox: sandboxOf(sandbox) }
  for (const label of labels) await bus.open(label, { source }, all)
}

const getReason = (error: { reason: string }): string => error.reason
const collectFaults = (bus: Bus): BusEvents['fault'][] => {
  const faults: BusEvents['fault'][] = []
  bus.on('fault', fault => faults.push(fault))
  return faults
}

describe.runIf(hasProc)('scripts of one process', () => {
  test('as many share a process as the option says, and it ends with the last of them', async () => {
    const bus = await start()
    await open(bus, ['a', 'b', 'c'], {}, { perProcess: 2 })
    expect(getFrontendPids()).toHaveLength(2)
    await bus.closeFrontend('c')
    await expect.poll(() => getFrontendPids().length).toBe(1)
    expect([await bus.call('a', 'count'), await bus.call('a', 'count'), await bus.call('b', 'count')]).toEqual([
      1, 2, 1,
    ])
    await bus.closeFrontend('a')
    await bus.closeFrontend('b')
    await expect.poll(() => getFrontendPids().length).toBe(0)
    // Those of two groups share none.
    const group = (name: string) => ({ group: name, perProcess: undefined }) as unknown as Partial<QuickjsSandbox>
    await open(bus, ['a', 'b'], {}, group('one'))
    await open(bus, ['c'], {}, group('two'))
    expect(getFrontendPids()).toHaveLength(2)
  })

  test.each(patterns)('each has its own label, data, rights and objects (%s)', async (_name, app) => {
    const bus = await start(app)
    await open(bus, ['a'], { data: 1 })
    await open(bus, ['b'], { data: 2, allow: [] })
    expect(getFrontendPids()).toHaveLength(1)
    expect(await bus.call('a', 'label')).toEqual(['a', 1])
    expect(await bus.call('b', 'label')).toEqual(['b', 2])
    expect(await bus.call('a', 'add')).toBe(3)
    if (Object.keys(app).length === 0) await expect(bus.call('b', 'add')).rejects.toThrow(/not allowed/)
    await bus.call('a', 'change')
    expect(await bus.call('b', 'seen')).toEqual(['1', 'undefined'])
    expect(await bus.call('a', 'large')).toHaveLength(2 ** 20)
  })

  test('a loop and a full memory end one script with its limit, and no other', () =>
    rows([
      ['spin', 'time', 200],
      ['explode', 'time', 200],
      ['take', 'memory', 16],
    ] as const)(async (name, limit, max) => {
      const bus = await start()
      const faults = collectFaults(bus)
      await open(bus, ['a'], {}, { ...LONGEST, memory: 16, [limit]: max })
      await open(bus, ['b', 'c'], {}, { ...LONGEST, memory: 16 })
      await bus.call('b', 'count')
      const [pid] = getFrontendPids()
      expect(await bus.call('a', name).catch(getReason)).toBe('Disconnected')
      await expect.poll(() => faults.length).toBe(1)
      expect(faults[0]).toMatchObject({ label: 'a', error: { reason: 'Crashed', data: { limit, max } } })
      expect(await bus.call('b', 'count')).toBe(2)
      expect(getFrontendPids()).toEqual([pid])
      await bus.close({ timeout: 0 })
    }))

  test('if the process is killed, each of its scripts gets the reason, and no other script', async () => {
    const bus = await start()
    const faults = collectFaults(bus)
    await open(bus, ['a', 'b', 'c'], {}, { perProcess: 2 })
    const [pid] = getFrontendPids()
    const calls = ['a', 'b'].map(label => bus.call(label, 'ignore').catch(getReason))
    process.kill(pid!, 'SIGKILL')
    expect(await Promise.all(calls)).toEqual(['Disconnected', 'Disconnected'])
    await expect.poll(() => faults.map(({ label }) => label).toSorted()).toEqual(['a', 'b'])
    for (const { error } of faults)
      expect(error).toMatchObject({ reason: 'Crashed', message: expect.stringMatching(/SIGKILL/) })
    expect(await bus.call('c', 'count')).toBe(1)
    // Another script gets a new process.
    await open(bus, ['d', 'e'], {}, { perProcess: 2 })
    expect(await bus.call('d', 'count')).toBe(1)
    expect(await bus.call('e', 'count')).toBe(1)
  })

  test('a script that floods does not keep the others from answering', () =>
    rows(['print', 'flood', 'ignore'])(async name => {
      const bus = await start()
      const printed: string[] = []
      await open(bus, ['a', 'b'], { onStdio: (text, { label }) => printed.push(label) })
      const flooding = bus.call('a', name, {}, { timeout: 60_000 }).catch(() => undefined)
      for (let n = 1; n <= 50; n++) expect(await bus.call('b', 'count')).toBe(n)
      await bus.closeFrontend('a')
      await flooding
      expect(await bus.call('b', 'count')).toBe(51)
      expect(printed).not.toContain('b')
    }))

  test('a script that is closed while core reads none of its frames has no other fault than that they are lost', async () => {
    const core =
      'export default { commands: { block: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500) } }'
    const bus = await start({ core: new URL(`data:text/javascript,${encodeURIComponent(core)}`) })
    const faults = collectFaults(bus)
    await open(bus, ['a', 'b'], {}, LONGEST)
    const client = await bus.connect('client', { allow: '*' })
    await bus.call('a', 'flood')
    const blocked = client.invoke('block')
    await bus.closeFrontend('a')
    await blocked
    // Its relay can have all of them when the time is over.
    const error = expect.objectContaining({ reason: 'Timeout', data: { unsent: 'unknown' } }) as unknown
    expect([[], [{ label: 'a', error }]]).toContainEqual(faults)
    expect(await bus.call('b', 'count')).toBe(1)
  })

  test('a script that loops is ended by its close, and the others go on', async () => {
    const bus = await start()
    await open(bus, ['a', 'b'], {}, LONGEST)
    const looping = bus.call('a', 'spin').catch(getReason)
    await bus.closeFrontend('a', { timeout: 0 })
    expect(await looping).toBe('Disconnected')
    expect(await bus.call('b', 'count')).toBe(1)
  })

  test('onStdio gets all lines, more than a chunk of them, with characters of two code units', async () => {
    const bus = await start()
    const output = { stdout: '', stderr: '' }
    const lines = `x${'\u{1f600}'.repeat(3000)}\n`.repeat(50)
    const onStdio: FrontendOptions['onStdio'] = (text, { stream }) => void (output[stream] += text)
    const code = `console.error('b'); for (let n = 0; n < 50; n++) console.log('x' + '\\u{1f600}'.repeat(3000))`
    await bus.open('a', { source: code }, { sandbox: sandboxOf(), onStdio })
    await expect.poll(() => output.stdout.length).toBe(lines.length)
    await expect.poll(() => output.stderr).toBe('b\n')
    expect(output.stdout === lines).toBe(true)
  })

  test('a file is read with each start, wrong code fails alone, and all restart with core', async () => {
    const bus = await start()
    const directory = writeProject({ 'main.js': `sallyport.expose({ it: () => 1 })` })
    const file = join(directory, 'main.js')
    await open(bus, ['other', 'another'], { supervision: { restart: 'transient' } })
    await bus.open('main', pathToFileURL(file), { sandbox: sandboxOf() })
    expect(await bus.call('main', 'it')).toBe(1)
    writeFileSync(file, `sallyport.expose({ it: () => 2 })`)
    await bus.reload('main')
    expect(await bus.call('main', 'it')).toBe(2)
    expect(getFrontendPids()).toHaveLength(1)
    // Code that cannot be parsed, or throws, fails alone.
    const options: RunOptions = { sandbox: sandboxOf() }
    await expect(bus.run('return (', options)).rejects.toMatchObject({ reason: 'LoadFailed' })
    await expect(bus.run('throw new Error("no")', options)).rejects.toThrow('no')
    expect(await bus.call('other', 'count')).toBe(1)
    // Core restarts, and each script with it.
    await bus.reload('core')
    for (const label of ['other', 'another']) await expect.poll(() => bus.call(label, 'add').catch(getReason)).toBe(3)
  })
})

describe.runIf(hasProc)('runs in processes with others', () => {
  test('a run uses a process that is kept, keeps nothing of an earlier run, and its process is replaced if it ends', async () => {
    const bus = await start(isolation('judge'))
    const options: RunOptions = { sandbox: sandboxOf({ spares: 1 }), timeout: 60_000 }
    expect(await bus.run('globalThis.kept = 1; Array.prototype.kept = 1; return typeof kept', options)).toBe('number')
    const pids = getFrontendPids()
    expect(pids).toHaveLength(1)
    expect(await bus.run('return [typeof kept, typeof [].kept]', options)).toEqual(['undefined', 'undefined'])
    expect(await bus.run(`return invoke('add', { a: 2, b: 1 })`, options)).toBe(3)
    expect(getFrontendPids()).toEqual(pids)
    expect(await bus.stats()).toMatchObject({ spares: 1 })
    process.kill(pids[0]!, 'SIGKILL')
    // Within this tick the host does not know.
    expect(await bus.run('return 1', options)).toBe(1)
    expect(getFrontendPids()).not.toEqual(pids)
  })

  test('what a run left unfinished does not reach the next one', async () => {
    const bus = await start()
    const options: RunOptions = { sandbox: sandboxOf({ spares: 1 }), allow: '*', timeout: 60_000 }
    const left = `
      setInterval(() => emit('late', 1), 1)
      listen('news', () => emit('late', 2))
      invoke('slow', {}).then(() => emit('late', 3), () => {})
      expose({ old: () => 1 })
      return 1`
    expect(await bus.run(left, options)).toBe(1)
    const late: unknown[] = []
    await bus.listen('late', ({ payload }) => late.push(payload))
    await bus.emit('news')
    const seen = await bus.run(`await new Promise(resolve => setTimeout(resolve, 50)); return args`, {
      ...options,
      args: { b: 1 },
    })
    expect(seen).toEqual({ b: 1 })
    expect(late).toEqual([])
    expect(bus.frontends()).toEqual([])
  })

  test('a run is interrupted and resumed', async () => {
    const { command, createBus, defineCore } = await import('../../../src/index.js')
    const core = defineCore({ commands: { ask: command({}, (_args: unknown, ctx) => ctx.interrupt({ question: 1 })) } })
    const bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(1) } })
    try {
      const options = { sandbox: sandboxOf({ spares: 1 }), allow: ['ask'], timeout: 60_000 }
      const code = `const local = 20; return local + await invoke('ask')`
      const report = await bus.run(code, { ...options, report: true })
      expect(report).toMatchObject({ status: 'interrupted', data: { question: 1 } })
      const { continuation } = report as unknown as { continuation: Uint8Array }
      const { allow, timeout, sandbox } = options
      expect(await bus.resume(continuation, { value: 22 }, { allow, timeout, sandbox })).toBe(42)
    } finally {
      await bus.close({ timeout: 0 })
    }
  })
})
