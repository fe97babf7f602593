// Directories that a frontend may write to, with real processes: what it can change there, and nothing elsewhere.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { type Bus, type BusError, defineCore } from '../../../src/index.js'
import { fixture, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const hasBubblewrap = (await findWall()).launcher?.name === 'bubblewrap'
const core = defineCore({})
const module = fixture('sandboxes/writer.mjs')

let directory: string
const file = (...names: string[]): string => join(directory, ...names)
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'write-')))
  for (const name of ['data', 'data/kept', 'public', 'outside']) mkdirSync(file(name))
  for (const name of ['public', 'outside']) writeFileSync(file(name, 'file'), name)
  symlinkSync(file('data'), file('named'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function open(sandbox: Partial<ProcessSandbox>): Promise<Bus> {
  const bus = await start({ core })
  await bus.open('main', module, { sandbox: { kind: 'process', ...sandbox }, supervision: { restart: 'temporary' } })
  return bus
}

const attempt = (bus: Bus, name: string, ...args: unknown[]): Promise<string> =>
  bus.call('main', 'attempt', { name, args })

/** A wall hides what is not granted, and its mounts are read-only. */
const DENIED = expect.stringMatching(/^(?:ERR_ACCESS_DENIED|ENOENT|EROFS|EXDEV|EPERM)$/) as string

describe.each(choose(hasBubblewrap ? (['none', 'required'] as const) : (['none'] as const)))('wall: %s', wall => {
  test('a frontend creates, changes, renames and removes files there', async () => {
    const bus = await open({ wall, write: [file('data')] })
    const [first, second] = [file('data', 'first'), file('data', 'deep', 'second')]
    const steps = [
      ['mkdirSync', file('data', 'deep')],
      ['writeFileSync', first, 'text'],
      ['appendFileSync', first, ' and more'],
      ['copyFileSync', first, second],
      ['chmodSync', second, 0o600],
      ['utimesSync', second, 1, 1],
      ['renameSync', first, file('data', 'third')],
      ['rmSync', file('data', 'kept'), { recursive: true }],
    ] as const
    for (const [name, ...args] of steps) expect([name, await attempt(bus, name, ...args)]).toEqual([name, 'done'])
    expect(await bus.call('main', 'read', { path: second })).toBe('text and more')
    expect(readFileSync(second, 'utf8')).toBe('text and more')
    expect([existsSync(first), existsSync(file('data', 'third')), existsSync(file('data', 'kept'))]).toEqual([
      false,
      true,
      false,
    ])
  })

  test('it changes nothing outside, also with .. in a path', async () => {
    const bus = await open({ wall, write: [file('data')] })
    const paths = [file('outside', 'file'), `${file('data')}/../outside/file`, file('new'), `${file('data')}2`]
    for (const path of paths) expect([path, await attempt(bus, 'writeFileSync', path, 'x')]).toEqual([path, DENIED])
    const victim = file('outside', 'file')
    expect(await attempt(bus, 'rmSync', victim)).toEqual(DENIED)
    expect(await attempt(bus, 'renameSync', victim, file('data', 'taken'))).toEqual(DENIED)
    expect(await attempt(bus, 'rmSync', file('outside'), { recursive: true })).toEqual(DENIED)
    expect(readFileSync(victim, 'utf8')).toBe('outside')
    expect([existsSync(file('new')), existsSync(`${file('data')}2`)]).toEqual([false, false])
  })

  test('it makes no link that leads out', async () => {
    const bus = await open({ wall, write: [file('data')] })
    const links = [
      ['symlinkSync', file('outside'), file('data', 'away')],
      ['linkSync', file('outside', 'file'), file('data', 'twin')],
      ['linkSync', fileURLToPath(module), file('data', 'code')],
    ]
    for (const [name, ...args] of links) await attempt(bus, name!, ...args)
    for (const path of [file('data', 'away', 'file'), file('data', 'twin'), file('data', 'code')]) {
      await attempt(bus, 'appendFileSync', path, '// changed')
    }
    expect(readFileSync(file('outside', 'file'), 'utf8')).toBe('outside')
    expect(readFileSync(module, 'utf8')).not.toContain('// changed')
  })

  test('directories to read stay read-only', async () => {
    const bus = await open({ wall, read: [file('public')], write: [file('data')] })
    expect(await bus.call('main', 'read', { path: file('public', 'file') })).toBe('public')
    expect(await attempt(bus, 'writeFileSync', file('public', 'file'), 'x')).toBe('ERR_ACCESS_DENIED')
    expect(await attempt(bus, 'rmSync', file('public', 'file'))).toBe('ERR_ACCESS_DENIED')
    expect(readFileSync(file('public', 'file'), 'utf8')).toBe('public')
  })

  test('a directory below one to read is writable, also by the name of a link', async () => {
    const bus = await open({ wall, read: [directory], write: [file('named')] })
    expect(await attempt(bus, 'writeFileSync', file('named', 'new'), 'text')).toBe('done')
    expect(await attempt(bus, 'writeFileSync', file('data', 'new'), 'more')).toBe('done')
    expect(await attempt(bus, 'writeFileSync', file('outside', 'file'), 'x')).toBe('ERR_ACCESS_DENIED')
    expect(readFileSync(file('data', 'new'), 'utf8')).toBe('more')
  })

  test('a frontend without the option writes nothing', async () => {
    const bus = await open({ wall, read: [file('data')] })
    expect(await attempt(bus, 'writeFileSync', file('data', 'new'), 'x')).toBe('ERR_ACCESS_DENIED')
  })

  test('each frontend with a spare process has its own directories', async () => {
    const bus = await start({ core })
    for (const name of ['data', 'public', 'data']) {
      const sandbox = { kind: 'process', wall, spares: 1, write: [file(name)] } as const
      await bus.open('main', module, { sandbox, supervision: { restart: 'temporary' } })
      expect(await attempt(bus, 'writeFileSync', file(name, 'new'), 'text')).toBe('done')
      expect(await attempt(bus, 'writeFileSync', file('outside', 'new'), 'text')).toEqual(DENIED)
      await bus.closeFrontend('main')
    }
  })
})

describe.runIf(hasBubblewrap)('in a wall', () => {
  test('a link in the directory leads nowhere', async () => {
    symlinkSync(file('outside'), file('data', 'link'))
    const bus = await open({ wall: 'required', write: [file('data')] })
    expect(await attempt(bus, 'writeFileSync', file('data', 'link', 'file'), 'x')).toBe('ENOENT')
    expect(await attempt(bus, 'readFileSync', file('data', 'link', 'file'))).toBe('ENOENT')
    expect(readFileSync(file('outside', 'file'), 'utf8')).toBe('outside')
  })

  test('no file gets the rights of its owner', async () => {
    const bus = await open({ wall: 'required', write: [file('data')] })
    expect(await attempt(bus, 'writeFileSync', file('data', 'new'), 'x', { mode: 0o4755 })).toBe('EPERM')
    expect(await attempt(bus, 'writeFileSync', file('data', 'new'), 'x', { mode: 0o755 })).toBe('done')
    expect(await attempt(bus, 'chmodSync', file('data', 'new'), 0o4755)).toBe('EPERM')
  })
})

test('a link that leads out is refused without a wall, and one that leads in is followed', async () => {
  const sandbox = { wall: 'none', read: [directory], write: [file('data')] } as const
  symlinkSync('kept', file('data', 'inside'))
  const bus = await open(sandbox)
  expect(await attempt(bus, 'writeFileSync', file('data', 'inside', 'new'), 'x')).toBe('done')
  symlinkSync(homedir(), file('data', 'link'))
  await expect(open(sandbox)).rejects.toThrow(
    `the link ${file('data', 'link')} to ${realpathSync(homedir())} leads out, or would if it were moved. Remove it`,
  )
})

test('a directory that was replaced by a link is refused at the next start', async () => {
  const bus = await start({ core })
  const sandbox = { kind: 'process', wall: 'none', write: [file('data')] } as const
  await bus.open('main', module, { sandbox, supervision: { restart: 'temporary' } })
  await bus.closeFrontend('main')
  rmSync(file('data'), { recursive: true })
  symlinkSync(homedir(), file('data'))
  await expect(bus.open('main', module, { sandbox })).rejects.toThrow('sandbox.write must not contain')
})

describe('write is refused with the remedy', () => {
  test('a path that a frontend may not change', () =>
    rows<[name: string, path: () => string | URL, text: string]>([
      ['a relative path', () => 'data', 'a file: URL or an absolute path'],
      ['a missing directory', () => file('none'), 'cannot be read. Make it before the frontend starts'],
      ['a file', () => pathToFileURL(file('public', 'file')), 'is a file. List its directory'],
      ['the root', () => '/', 'Make a directory below it for the frontend'],
      ['the temporary directory', () => tmpdir(), 'Make a directory below it for the frontend'],
      ['the home directory', () => homedir(), 'Make a directory below it for the frontend'],
      [
        'what is above the working directory',
        () => dirname(process.cwd()),
        'Make a directory below it for the frontend',
      ],
      [
        'the code of the host',
        () => new URL('..', import.meta.resolve('@sallyport/process/internal')),
        'the host uses',
      ],
      [
        'a directory in it',
        () => new URL('.', import.meta.resolve('@sallyport/process/internal')),
        'Make a directory for the frontend elsewhere',
      ],
      ['programs of the system', () => '/usr/share', 'Make a directory for the frontend elsewhere'],
      ["the kernel's interfaces", () => '/proc/self', 'Make a directory for the frontend elsewhere'],
      ['its own code', () => fixture('sandboxes/'), 'which it reads. Move one of them'],
    ])(async (_name, path, text) => {
      const error: unknown = await open({ write: [path()] }).catch((error: unknown) => error)
      expect((error as BusError).reason).toBe('InvalidParams')
      expect((error as BusError).message).toContain(text)
    }))

  test('installed packages', async () => {
    mkdirSync(file('node_modules', 'some', 'cache'), { recursive: true })
    const path = file('node_modules', 'some', 'cache')
    await expect(open({ write: [path] })).rejects.toThrow('it belongs to the system or to installed packages')
  })

  test('a directory to read within it', async () => {
    const opened = open({ read: [file('data', 'kept')], write: [file('data')] })
    await expect(opened).rejects.toThrow(`the frontend could change ${file('data', 'kept')}, which it reads`)
  })

  test('a launcher that does not restrict writes', async () => {
    const wall = { name: 'plain', launch: (command: string, args: readonly string[]) => ({ command, args }) }
    await expect(open({ wall, write: [file('data')] })).rejects.toThrow(
      'sandbox.write must be left out: the launcher "plain" cannot restrict writes to directories. Use a wall of bubblewrap',
    )
  })

  test('a worker', async () => {
    const bus = await start({ core })
    const sandbox = { kind: 'permission', write: [file('data')] } as unknown as ProcessSandbox
    await expect(bus.open('main', module, { sandbox })).rejects.toThrow(
      'sandbox.write must be left out: only a process can write. Use kind: "process", or a command that writes',
    )
  })
})
