// The whole of @tauri-apps/plugin-fs, as npm has it, against the core plugin of this example: one test for each of its
// functions. The types require a test for each new function.
import { createBus, type Bus } from '@sallyport/core'
import { installTauri } from '@sallyport/frontend/tauri'
import { invoke } from '@tauri-apps/api/core'
import * as api from '@tauri-apps/plugin-fs'
import { BaseDirectory, SeekMode } from '@tauri-apps/plugin-fs'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { tmpdir } from 'node:os'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

type FunctionNames = {
  [Name in keyof typeof api]: (typeof api)[Name] extends (...args: never[]) => unknown ? Name : never
}[keyof typeof api]
type Trials = Record<FunctionNames | (keyof api.FileHandle & string), () => Promise<void>>

const root = mkdtempSync(join(tmpdir(), 'tauri-notes-'))
const directory = join(root, 'open')
const file = join(directory, 'a.txt')
const inTemp = { baseDir: BaseDirectory.Temp }
const fromTemp = (path: string): string => join(basename(root), 'open', path)
const text = (path: string): string => readFileSync(path, 'utf8')
const bytes = (of: string): Uint8Array => new TextEncoder().encode(of)

/** Opens a.txt, and closes it after. */
async function withFile(options: api.OpenOptions, use: (handle: api.FileHandle) => Promise<void>): Promise<void> {
  const handle = await api.open(file, options)
  try {
    await use(handle)
  } finally {
    await handle.close()
  }
}

const trials: Trials = {
  async copyFile() {
    await api.copyFile(fromTemp('a.txt'), fromTemp('b.txt'), {
      fromPathBaseDir: BaseDirectory.Temp,
      toPathBaseDir: BaseDirectory.Temp,
    })
    expect(text(join(directory, 'b.txt'))).toBe('one\ntwo\n')
  },
  async create() {
    const handle = await api.create(fromTemp('new.txt'), inTemp)
    expect(await handle.write(bytes('new'))).toBe(3)
    await handle.close()
    expect(text(join(directory, 'new.txt'))).toBe('new')
  },
  async exists() {
    expect([await api.exists(file), await api.exists(join(directory, 'none'))]).toEqual([true, false])
  },
  async lstat() {
    symlinkSync(file, join(directory, 'link'))
    expect(await api.lstat(join(directory, 'link'))).toMatchObject({ isSymlink: true, isFile: false })
  },
  async mkdir() {
    await api.mkdir(fromTemp('x/y'), { ...inTemp, recursive: true })
    expect(existsSync(join(directory, 'x/y'))).toBe(true)
    await expect(api.mkdir(join(directory, 'p/q'))).rejects.toContain('ENOENT')
  },
  async open() {
    await expect(api.open(join(directory, 'none'))).rejects.toContain('ENOENT')
    await expect(api.open(file, { write: true, createNew: true })).rejects.toContain('EEXIST')
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
    const info = await api.stat(pathToFileURL(file))
    expect(info).toMatchObject({ isFile: true, isDirectory: false, size: 8 })
    expect(Math.abs(info.mtime!.getTime() - Date.now())).toBeLessThan(60_000)
    await withFile({}, async handle => expect(await handle.stat()).toMatchObject({ size: 8 }))
  },
  async truncate() {
    await api.truncate(file, 3)
    expect(text(file)).toBe('one')
    await withFile({ write: true }, handle => handle.truncate())
    expect(text(file)).toBe('')
  },
  async rid() {
    await withFile({}, async ({ rid }) => expect(Number.isInteger(rid) && rid >= 0 && rid < 2 ** 32).toBe(true))
  },
  async close() {
    const handle = await api.open(file)
    await handle.close()
    await expect(handle.read(new Uint8Array(1))).rejects.toBe(`The resource id ${handle.rid} is invalid.`)
  },
  async readDir() {
    expect(await api.readDir(fromTemp(''), inTemp)).toEqual([
      { name: 'a.txt', isFile: true, isDirectory: false, isSymlink: false },
    ])
  },
  async readFile() {
    expect(await api.readFile(file)).toEqual(bytes('one\ntwo\n'))
    await expect(api.readFile(join(directory, 'none'))).rejects.toContain('ENOENT')
  },
  async readTextFile() {
    expect(await api.readTextFile(fromTemp('a.txt'), inTemp)).toBe('one\ntwo\n')
  },
  async readTextFileLines() {
    const lines = await api.readTextFileLines(file)
    const read: string[] = []
    for await (const line of lines) read.push(line)
    for await (const line of lines) {
      read.push(line)
      break
    }
    expect(read).toEqual(['one', 'two', 'one'])
  },
  async remove() {
    mkdirSync(join(directory, 'full/er'), { recursive: true })
    await api.remove(file)
    await expect(api.remove(join(directory, 'full'))).rejects.toContain('ENOTEMPTY')
    await api.remove(join(directory, 'full'), { recursive: true })
    expect([existsSync(file), existsSync(join(directory, 'full'))]).toEqual([false, false])
  },
  async rename() {
    await api.rename(file, join(directory, 'c.txt'))
    expect([existsSync(file), text(join(directory, 'c.txt'))]).toEqual([false, 'one\ntwo\n'])
  },
  async size() {
    writeFileSync(join(directory, 'b.txt'), '12345')
    expect([await api.size(file), await api.size(directory)]).toEqual([8, 13])
  },
  async writeFile() {
    await api.writeFile(file, new Uint8Array([1, 2, 255]))
    expect([...readFileSync(file)]).toEqual([1, 2, 255])
    await api.writeFile(fromTemp('s.txt'), new Blob(['from ', 'a stream']).stream(), inTemp)
    expect(text(join(directory, 's.txt'))).toBe('from a stream')
  },
  async writeTextFile() {
    await api.writeTextFile(fromTemp('ä ö.txt'), 'ü\n', inTemp)
    await api.writeTextFile(fromTemp('ä ö.txt'), '!', { ...inTemp, append: true })
    expect(text(join(directory, 'ä ö.txt'))).toBe('ü\n!')
  },
  async watchImmediate() {
    const heard = vi.fn<(event: api.WatchEvent) => void>()
    const unwatch = await api.watchImmediate(directory, heard)
    writeFileSync(join(directory, 'w.txt'), 'x')
    await expect.poll(() => heard.mock.calls.map(([event]) => event.paths[0])).toContain(join(directory, 'w.txt'))
    unwatch()
  },
  async watch() {
    const heard = vi.fn<(event: api.WatchEvent) => void>()
    const unwatch = await api.watch(directory, heard, { delayMs: 100 })
    for (const content of ['x', 'y', 'z']) writeFileSync(join(directory, 'w.txt'), content)
    await expect.poll(() => heard.mock.calls.map(([event]) => event.paths)).toEqual([[join(directory, 'w.txt')]])
    unwatch()
  },
  async startAccessingSecurityScopedResource() {
    await api.startAccessingSecurityScopedResource(file)
  },
  async stopAccessingSecurityScopedResource() {
    await api.stopAccessingSecurityScopedResource(file)
  },
}

describe.each(['brownfield', 'isolation'] as const)('%s', use => {
  let bus: Bus
  let tauri: ReturnType<typeof installTauri>

  beforeAll(async () => {
    const scope = {
      identifier: 'fs:scope',
      allow: [
        { path: `$TEMP/${basename(root)}/open` },
        `$TEMP/${basename(root)}/open/**`,
        `$TEMP/${basename(root)}/open/*/*`,
        '$RESOURCE/**',
        '/**/x/**/x/**/x/**/z',
      ],
      deny: [{ path: `$TEMP/${basename(root)}/open/private/**` }, '$RESOURCE/private/**'],
    }
    const opens = { identifier: 'fs:allow-open', allow: [{ write: true }] }
    const writer = { identifier: 'writer', windows: ['writer'], permissions: [opens, scope] }
    const reader = { identifier: 'reader', windows: ['reader'], permissions: ['fs:default', 'fs:allow-write', scope] }
    const capability = {
      identifier: 'test',
      windows: ['main', 'second'],
      permissions: [
        'fs:default',
        'fs:write-all',
        ...['start', 'stop'].map(verb => `fs:allow-${verb}-accessing-security-scoped-resource`),
        scope,
      ],
    }
    bus = await createBus({
      core: new URL('../src-tauri/core.js', import.meta.url),
      log: false,
      app: { security: { pattern: { use }, capabilities: [capability, reader, writer] } },
    })
    tauri = installTauri(await bus.connect('main'))
  })
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    writeFileSync(file, 'one\ntwo\n')
    writeFileSync(join(root, 'secret'), 'secret')
  })
  afterAll(async () => {
    tauri.uninstall()
    await bus.close()
    rmSync(root, { recursive: true, force: true })
  })

  test.each(Object.entries(trials))('%s', (_name, trial) => trial())

  test('paths outside of the scope are rejected, also over links', async () => {
    mkdirSync(join(directory, 'private'))
    writeFileSync(join(directory, 'private/key'), 'key')
    symlinkSync(join(root, 'secret'), join(directory, 'link'))
    symlinkSync(root, join(directory, 'up'))
    for (const path of ['../secret', 'private/key', 'link', 'up/secret', 'up/new', 'x/../../secret']) {
      await expect(api.readTextFile(join(directory, path)), path).rejects.toContain('forbidden path')
      await expect(api.writeTextFile(fromTemp(path), 'x', inTemp), path).rejects.toContain('forbidden path')
    }
    expect([text(join(root, 'secret')), existsSync(join(root, 'new'))]).toEqual(['secret', false])
  })

  test('an entry of the scope with an unknown base directory allows nothing, and the others apply', async () => {
    expect(await api.exists(file)).toBe(true)
    await expect(api.exists('a.txt', { baseDir: BaseDirectory.Resource })).rejects.toBe('unknown path')
  })

  test('a pattern of a scope matches names with line breaks', async () => {
    mkdirSync(join(directory, 'private'))
    writeFileSync(join(directory, 'private/x\ny'), 'key')
    await expect(api.readTextFile(join(directory, 'private/x\ny'))).rejects.toContain('forbidden path')
  })

  test('a link that renames move to and fro never leads out of the scope', async () => {
    for (const name of ['real', 'linked']) mkdirSync(join(directory, name))
    mkdirSync(join(directory, 'real/sub'))
    writeFileSync(join(directory, 'real/sub/secret'), 'inside')
    symlinkSync(root, join(directory, 'linked/sub'))
    const swap = async (): Promise<void> => {
      for (const name of ['real', 'linked']) {
        await api.rename(join(directory, name), join(directory, 'place'))
        await api.rename(join(directory, 'place'), join(directory, name))
      }
    }
    const read: string[] = []
    const readOften = async (): Promise<void> => {
      for (let i = 0; i < 8; i++)
        read.push(await api.readTextFile(join(directory, 'place/sub/secret')).catch(() => 'refused'))
    }
    for (let round = 0; round < 100; round++) await Promise.all([swap(), readOften()])
    expect(read).not.toContain('secret')
  })

  test('a long path costs little time, whatever the patterns of the scope', async () => {
    const before = process.cpuUsage()
    await expect(api.exists(`/${'x/'.repeat(2000)}`)).rejects.toContain('forbidden path')
    await expect(api.exists(`/${'x/'.repeat(5e5)}`)).rejects.toContain('at most 4096 characters')
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(5000)
  })

  test('a read of very many bytes returns fewer, and other lengths and positions are refused', async () => {
    await withFile({}, async ({ rid }) => {
      const read = (len: unknown): Promise<ArrayBuffer> => invoke('plugin:fs|read', { rid, len })
      for (const len of [-1, 0.5, '1', null]) await expect(read(len)).rejects.toBe('invalid length')
      for (const offset of [2 ** 53, 0.5, '1'])
        await expect(invoke('plugin:fs|seek', { rid, offset, whence: 0 })).rejects.toContain('invalid seek')
      const buffer = Buffer.from(await read(2 ** 31))
      expect([buffer.toString('utf8', 0, 8), Number(buffer.readBigUInt64BE(buffer.length - 8))]).toEqual([
        'one\ntwo\n',
        8,
      ])
    })
  })

  test('a frontend that may only read cannot open a file for writing', async () => {
    const client = await bus.connect('reader')
    const open = (options: api.OpenOptions): Promise<unknown> =>
      client.invoke('plugin:fs|open', { path: file, options })
    for (const option of ['write', 'append', 'truncate', 'create', 'createNew'])
      await expect(open({ [option]: true }), option).rejects.toThrow(
        'only be opened for writing with the permission fs:write',
      )
    expect(await open({})).toEqual(expect.any(Number))
    expect(text(file)).toBe('one\ntwo\n')
    await client.close()
    const writer = await bus.connect('writer')
    expect(await writer.invoke('plugin:fs|open', { path: file, options: { write: true } })).toEqual(expect.any(Number))
    await writer.close()
  })

  test('a file that one frontend has opened cannot be used by another', async () => {
    const other = await api.open(file)
    const client = await bus.connect('second')
    await expect(client.invoke('plugin:fs|fstat', { rid: other.rid })).rejects.toThrow(
      `The resource id ${other.rid} is invalid.`,
    )
    await client.close()
    await other.close()
  })
})
