// Processes that start ahead of their frontends: each belongs to its frontend alone, and none is left.
import { spawn } from 'node:child_process'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { Bus, FrontendOptions, RunOptions } from '../../../src/index.js'
import type { Launcher } from '../../../src/launchers.js'
import { getFrontendPids, isRunning } from '../../support/processes.js'
import { fixture, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const linux = process.platform === 'linux'
const walls = choose(linux ? (['none', 'auto'] as const) : (['none'] as const))

const directory = mkdtempSync(join(tmpdir(), 'spares-'))
afterAll(() => rmSync(directory, { recursive: true }))

const waiting = async (bus: Bus): Promise<number> => (await bus.stats()).spares
const expectSpares = (bus: Bus, count: number) => expect.poll(() => waiting(bus)).toBe(count)
/** A spare counts before its process runs. */
const waitForPids = async (count: number, host?: number): Promise<number[]> => {
  await expect.poll(() => getFrontendPids(host)).toHaveLength(count)
  return getFrontendPids(host)
}

const SOURCE = `
  import { expose, getData, getLabel, invoke } from '@sallyport/frontend'
  console.log('printed by ' + getLabel())
  expose({
    about: async () => [getLabel(), getData(), await invoke('greet', { name: getLabel() })],
    memory: () => { const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 22, 1)) },
    print: () => console.log('printed later'),
    spin: () => { for (;;); },
    uptime: () => process.uptime(),
  })
`

describe.each(walls)('wall: %s', wall => {
  const sandbox: ProcessSandbox = { kind: 'process', wall, spares: 1 }
  const open = (bus: Bus, label: string, more: Partial<ProcessSandbox> = {}, options: object = {}) =>
    bus.open(
      label,
      { source: SOURCE, name: 'it.js' },
      { sandbox: { ...sandbox, ...more }, allow: ['greet'], ...options },
    )

  test.runIf(linux)('a frontend gets a spare', async () => {
    const bus = await start()
    await open(bus, 'first')
    await expectSpares(bus, 1)
    const pids = await waitForPids(2)
    await open(bus, 'second')
    await expectSpares(bus, 1)
    await bus.closeFrontend('second')
    await expect.poll(() => pids.filter(isRunning)).toHaveLength(1)
    expect(await bus.call('first', 'about')).toMatchObject({ 0: 'first' })
  })

  test('runs and scripts take spares one after the other', () =>
    rows<RunOptions['sandbox'] & object>([
      { kind: 'process', wall, spares: 1 },
      { kind: 'quickjs', process: true, wall, spares: 1 },
    ])(async sandbox => {
      const bus = await start()
      const run = () => bus.run('globalThis.used = globalThis.used === undefined; return globalThis.used', { sandbox })
      expect(await run()).toBe(true)
      for (let count = 0; count < 2; count++) {
        await expectSpares(bus, 1)
        expect(await run()).toBe(true)
      }
      // Without a process there is nothing to start.
      expect(await bus.run('return 1')).toBe(1)
      await bus.close({ timeout: 0 })
    }))

  test('no frontend with other options gets a spare', async () => {
    const bus = await start()
    await open(bus, 'first')
    await expectSpares(bus, 1)
    for (const [index, more] of [{ net: true }, { resourceLimits: { maxOldGenerationSizeMb: 64 } }].entries()) {
      await open(bus, `other-${index}`, more)
      await expectSpares(bus, index + 2)
    }
    await bus.open(
      'without',
      { source: SOURCE, name: 'it.js' },
      { sandbox: { kind: 'process', wall }, allow: ['greet'] },
    )
    expect(await waiting(bus)).toBe(3)
  })

  test.runIf(linux)('a directory that was replaced needs a new process', async () => {
    const place = join(directory, `place-${wall}`)
    const write = (path: string, text: string): void => {
      cpSync(fileURLToPath(fixture('sandboxes')), path, { recursive: true })
      writeFileSync(join(path, 'text.txt'), text)
    }
    write(place, 'before')
    const bus = await start()
    const source = `
      import { expose } from '@sallyport/frontend'
      import { readFileSync } from 'node:fs'
      expose({ read: () => readFileSync(${JSON.stringify(join(place, 'text.txt'))}, 'utf8') })
    `
    const openThere = (label: string) => bus.open(label, { source, name: 'it.js', directory: place }, { sandbox })
    await openThere('first')
    await expectSpares(bus, 1)
    write(`${place}-new`, 'after')
    renameSync(place, `${place}-old`)
    renameSync(`${place}-new`, place)
    await openThere('second')
    expect(await bus.call('second', 'read')).toBe('after')
    await expectSpares(bus, 1)
    await openThere('third')
    expect(await bus.call('third', 'read')).toBe('after')
  })

  test.runIf(linux)('the limits of a spare are those of its frontend', async () => {
    const bus = await start()
    const limits = { memory: 200 }
    await open(bus, 'first', limits)
    await expectSpares(bus, 1)
    await open(bus, 'second', limits)
    const faults: string[] = []
    bus.on('fault', ({ label, error }) => faults.push(`${label}: ${error.message}`))
    await expect(bus.call('second', 'memory')).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect.poll(() => faults).toEqual([expect.stringMatching(/^second: .*(memory|allocate)/)])
    expect(await bus.call('first', 'about')).toMatchObject({ 0: 'first' })
  })

  test.runIf(linux)('a run that takes a spare as it is killed runs in another process', () =>
    rows(['process', 'quickjs'] as const)(async kind => {
      const bus = await start()
      const options: RunOptions = {
        sandbox: kind === 'process' ? { kind, wall, spares: 2 } : { kind, process: true, wall, spares: 2 },
        timeout: 60_000,
      }
      expect(await bus.run(`return 1`, options)).toBe(1)
      await expectSpares(bus, 2)
      for (const pid of await waitForPids(2)) process.kill(pid, 'SIGKILL')
      // Within this tick the host does not know.
      expect(await bus.run(`return args.a`, { ...options, args: { a: 2 } })).toBe(2)
      await bus.close({ timeout: 0 })
    }),
  )

  test('a host with nothing but spares closes, and exits', async () => {
    const host = spawn(process.execPath, [fileURLToPath(fixture('sandboxes/spare-host.mjs')), wall, 'close'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    host.stdout.on('data', chunk => (text += String(chunk)))
    expect(await once(host, 'close')).toEqual([0, null])
    expect(text).toBe('ready\nclosed\n')
  })

  test.runIf(linux)('a killed host leaves no process, no spare and no directory', async () => {
    const temporary = mkdtempSync(join(directory, 'killed-'))
    const host = spawn(process.execPath, [fileURLToPath(fixture('sandboxes/spare-host.mjs')), wall], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: temporary },
    })
    await once(host.stdout, 'data')
    const pids = await waitForPids(3, host.pid)
    host.kill('SIGKILL')
    await expect.poll(() => pids.filter(isRunning)).toEqual([])
    await expect.poll(() => readdirSync(temporary)).toEqual([])
  })
})

test('the number of spares is checked', async () => {
  const bus = await start()
  const open = (spares: number) =>
    bus.open('main', { source: SOURCE, name: 'it.js' }, { sandbox: { kind: 'process', wall: 'none', spares } })
  for (const spares of [-1, 65, 0.5]) {
    await expect(open(spares)).rejects.toThrow(/sandbox\.spares must be a whole number of processes, from 0 to 64/)
  }
})

test.runIf(linux)(
  'what a spare prints before it is taken is dropped, and does not delay the end of the bus',
  async () => {
    const printing = 'echo printed; echo printed >&2; exec "$0" "$@"'
    const wall: Launcher = {
      name: 'printing',
      launch: (command, args) => ({ command: '/bin/sh', args: ['-c', printing, command, ...args] }),
    }
    const bus = await start()
    const printed: Record<string, string> = { first: '', second: '' }
    const options: FrontendOptions = {
      sandbox: { kind: 'process', wall, spares: 1 },
      onStdio: (text, { label }) => void (printed[label] += text),
    }
    await bus.open('first', { source: SOURCE, name: 'it.js' }, options)
    await expectSpares(bus, 1)
    await waitForPids(2)
    // The thread of both relays reads this last: it has read what the launcher of the spare has printed.
    await bus.call('first', 'print')
    await expect.poll(() => printed['first']).toMatch(/printed by first\n(?:.|\n)*printed later\n/)
    await bus.open('second', { source: SOURCE, name: 'it.js' }, options)
    await expect.poll(() => printed['second']).toBe('printed by second\n')
    await expectSpares(bus, 1)
    await bus.close()
    expect(getFrontendPids()).toEqual([])
  },
)
