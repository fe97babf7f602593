// The whole of @tauri-apps/plugin-fs, as npm has it, against the core plugin of this example: one test for each of its
// functions, so that a function that the guest gains is missed by name.
import { createBus, type Bus } from '@sallyport/core'
import { installTauri } from '@sallyport/frontend/tauri'
import * as guest from '@tauri-apps/plugin-fs'
import { BaseDirectory, SeekMode } from '@tauri-apps/plugin-fs'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { tmpdir } from 'node:os'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

type FunctionNames = {
  [Name in keyof typeof guest]: (typeof guest)[Name] extends (...args: never[]) => unknown ? Name : never
}[keyof typeof guest]
type Trials = Record<FunctionNames | (keyof guest.FileHandle & string), () => Promise<void>>

const root = mkdtempSync(join(tmpdir(), 'tauri-notes-'))
const folder = join(root, 'open')
const file = join(folder, 'a.txt')
const inTemp = { baseDir: BaseDirectory.Temp }
const fromTemp = (path: string): string => join(basename(root), 'open', path)
const text = (path: string): string => readFileSync(path, 'utf8')
const bytes = (of: string): Uint8Array => new TextEncoder().encode(of)

/** Opens a.txt, and closes it after. */
async function withFile(options: guest.OpenOptions, use: (handle: guest.FileHandle) => Promise<void>): Promise<void> {
  const handle = await guest.open(file, options)
  try {
    await use(handle)
  } finally {
    await handle.close()
  }
}

const trials: Trials = {
  async copyFile() {
    await guest.copyFile(fromTemp('a.txt'), fromTemp('b.txt'), {
      fromPathBaseDir: BaseDirectory.Temp,
      toPathBaseDir: BaseDirectory.Temp,
    })
    expect(text(join(folder, 'b.txt'))).toBe('one\ntwo\n')
  },
  async create() {
    const handle = await guest.create(fromTemp('new.txt'), inTemp)
    expect(await handle.write(bytes('new'))).toBe(3)
    await handle.close()
    expect(text(join(folder, 'new.txt'))).toBe('new')
  },
  async exists() {
    expect([await guest.exists(file), await guest.exists(join(folder, 'none'))]).toEqual([true, false])
  },
  async lstat() {
    symlinkSync(file, join(folder, 'link'))
    expect(await guest.lstat(join(folder, 'link'))).toMatchObject({ isSymlink: true, isFile: false })
  },
  async mkdir() {
    await guest.mkdir(fromTemp('x/y'), { ...inTemp, recursive: true })
    expect(existsSync(join(folder, 'x/y'))).toBe(true)
    await expect(guest.mkdir(join(folder, 'p/q'))).rejects.toContain('ENOENT')
  },
  async open() {
    await expect(guest.open(join(folder, 'none'))).rejects.toContain('ENOENT')
    await expect(guest.open(file, { write: true, createNew: true })).rejects.toContain('EEXIST')
  },
  async read() {
    await withFile({}, async handle => {
      const buffer = new Uint8Array(5)
      expect(await handle.read(buffer)).toBe(5)
      expect(new TextDecoder().decode(buffer)).toBe('one\nt')
      expect(await handle.read(buffer)).toBe(3)
      expect(await handle.read(buffer)).toBeNull()
    })
  },
  async write() {
    await withFile({ append: true }, async handle => void (await handle.write(bytes('three'))))
    expect(text(file)).toBe('one\ntwo\nthree')
  },
  async seek() {
    await withFile({ read: true, write: true }, async handle => {
      expect(await handle.seek(4, SeekMode.Start)).toBe(4)
      expect(await handle.seek(-2, SeekMode.End)).toBe(6)
      expect(await handle.seek(1, SeekMode.Current)).toBe(7)
      await handle.write(bytes('!'))
      await expect(handle.seek(-9, SeekMode.Current)).rejects.toContain('invalid seek')
    })
    expect(text(file)).toBe('one\ntwo!')
  },
  async stat() {
    const info = await guest.stat(pathToFileURL(file))
    expect(info).toMatchObject({ isFile: true, isDirectory: false, size: 8 })
    expect(Math.abs(info.mtime!.getTime() - Date.now())).toBeLessThan(60_000)
    await withFile({}, async handle => expect(await handle.stat()).toMatchObject({ size: 8 }))
  },
  async truncate() {
    await guest.truncate(file, 3)
    expect(text(file)).toBe('one')
    await withFile({ write: true }, handle => handle.truncate())
    expect(text(file)).toBe('')
  },
  async rid() {
    await withFile({}, async ({ rid }) => expect(Number.isInteger(rid) && rid >= 0 && rid < 2 ** 32).toBe(true))
  },
  async close() {
    const handle = await guest.open(file)
    await handle.close()
    await expect(handle.read(new Uint8Array(1))).rejects.toBe(`The resource id ${handle.rid} is invalid.`)
  },
  async readDir() {
    expect(await guest.readDir(fromTemp(''), inTemp)).toEqual([
      { name: 'a.txt', isFile: true, isDirectory: false, isSymlink: false },
    ])
  },
  async readFile() {
    expect(await guest.readFile(file)).toEqual(bytes('one\ntwo\n'))
    await expect(guest.readFile(join(folder, 'none'))).rejects.toContain('ENOENT')
  },
  async readTextFile() {
    expect(await guest.readTextFile(fromTemp('a.txt'), inTemp)).toBe('one\ntwo\n')
  },
  async readTextFileLines() {
    const lines = await guest.readTextFileLines(file)
    const read: string[] = []
    for await (const line of lines) read.push(line)
    for await (const line of lines) {
      read.push(line)
      break
    }
    expect(read).toEqual(['one', 'two', 'one'])
  },
  async remove() {
    mkdirSync(join(folder, 'full/er'), { recursive: true })
    await guest.remove(file)
    await expect(guest.remove(join(folder, 'full'))).rejects.toContain('ENOTEMPTY')
    await guest.remove(join(folder, 'full'), { recursive: true })
    expect([existsSync(file), existsSync(join(folder, 'full'))]).toEqual([false, false])
  },
  async rename() {
    await guest.rename(file, join(folder, 'c.txt'))
    expect([existsSync(file), text(join(folder, 'c.txt'))]).toEqual([false, 'one\ntwo\n'])
  },
  async size() {
    writeFileSync(join(folder, 'b.txt'), '12345')
    expect([await guest.size(file), await guest.size(folder)]).toEqual([8, 13])
  },
  async writeFile() {
    await guest.writeFile(file, new Uint8Array([1, 2, 255]))
    expect([...readFileSync(file)]).toEqual([1, 2, 255])
    await guest.writeFile(fromTemp('s.txt'), new Blob(['from ', 'a stream']).stream(), inTemp)
    expect(text(join(folder, 's.txt'))).toBe('from a stream')
  },
  async writeTextFile() {
    await guest.writeTextFile(fromTemp('ä ö.txt'), 'ü\n', inTemp)
    await guest.writeTextFile(fromTemp('ä ö.txt'), '!', { ...inTemp, append: true })
    expect(text(join(folder, 'ä ö.txt'))).toBe('ü\n!')
  },
  async watchImmediate() {
    const heard = vi.fn<(event: guest.WatchEvent) => void>()
    const unwatch = await guest.watchImmediate(folder, heard)
    writeFileSync(join(folder, 'w.txt'), 'x')
    await expect.poll(() => heard.mock.calls.map(([event]) => event.paths[0])).toContain(join(folder, 'w.txt'))
    unwatch()
  },
  async watch() {
    const heard = vi.fn<(event: guest.WatchEvent) => void>()
    const unwatch = await guest.watch(folder, heard, { delayMs: 100 })
    for (const content of ['x', 'y', 'z']) writeFileSync(join(folder, 'w.txt'), content)
    await expect.poll(() => heard.mock.calls.map(([event]) => event.paths)).toEqual([[join(folder, 'w.txt')]])
    unwatch()
  },
  async startAccessingSecurityScopedResource() {
    await guest.startAccessingSecurityScopedResource(file)
  },
  async stopAccessingSecurityScopedResource() {
    await guest.stopAccessingSecurityScopedResource(file)
  },
}

describe.each(['brownfield', 'isolation'] as const)('%s', use => {
  let bus: Bus
  let tauri: ReturnType<typeof installTauri>

  beforeAll(async () => {
    const capability = {
      identifier: 'test',
      windows: ['main', 'second'],
      permissions: [
        'fs:default',
        'fs:write-all',
        ...['start', 'stop'].map(verb => `fs:allow-${verb}-accessing-security-scoped-resource`),
        {
          identifier: 'fs:scope',
          allow: [{ path: `$TEMP/${basename(root)}/open` }, `$TEMP/${basename(root)}/open/**`],
          deny: [{ path: `$TEMP/${basename(root)}/open/private/**` }],
        },
      ],
    }
    bus = await createBus({
      core: new URL('../src-tauri/core.js', import.meta.url),
      log: false,
      app: { security: { pattern: { use }, capabilities: [capability] } },
    })
    tauri = installTauri(await bus.connect('main'))
  })
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, 'one\ntwo\n')
    writeFileSync(join(root, 'secret'), 'secret')
  })
  afterAll(async () => {
    tauri.uninstall()
    await bus.close()
    rmSync(root, { recursive: true, force: true })
  })

  test.each(Object.entries(trials))('%s', (_name, trial) => trial())

  test('paths outside of the scope, by any way there, are refused', async () => {
    mkdirSync(join(folder, 'private'))
    writeFileSync(join(folder, 'private/key'), 'key')
    symlinkSync(join(root, 'secret'), join(folder, 'link'))
    symlinkSync(root, join(folder, 'up'))
    for (const path of ['../secret', 'private/key', 'link', 'up/secret', 'up/new', 'x/../../secret']) {
      await expect(guest.readTextFile(join(folder, path)), path).rejects.toContain('forbidden path')
      await expect(guest.writeTextFile(fromTemp(path), 'x', inTemp), path).rejects.toContain('forbidden path')
    }
    expect([text(join(root, 'secret')), existsSync(join(root, 'new'))]).toEqual(['secret', false])
  })

  test('a file that another frontend has opened is not this one’s', async () => {
    const other = await guest.open(file)
    const client = await bus.connect('second')
    await expect(client.invoke('plugin:fs|fstat', { rid: other.rid })).rejects.toThrow(
      `The resource id ${other.rid} is invalid.`,
    )
    await client.close()
    await other.close()
  })
})
