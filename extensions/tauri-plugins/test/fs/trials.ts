// A trial for each function of @tauri-apps/plugin-fs. They run in frontends, so they use nothing but their arguments.
import type * as Api from '@tauri-apps/plugin-fs'

type FunctionName = {
  [Name in keyof typeof Api]: (typeof Api)[Name] extends (...args: never[]) => unknown ? Name : never
}[keyof typeof Api]

export interface TrialArguments {
  /** A directory in scope with the file `a.txt`: `one\ntwo\n`. */
  readonly dir: string
  /** The path of `dir` below the directory of temporary files. */
  readonly inTemp: string
}

/** Returns what `EXPECTED` has. */
type Trial = (api: typeof Api, args: TrialArguments) => Promise<unknown>

export const TRIALS: Record<FunctionName | (keyof Api.FileHandle & string), Trial> = {
  async copyFile(api, { dir, inTemp }) {
    const temp = api.BaseDirectory.Temp
    await api.copyFile(`${inTemp}/a.txt`, `${inTemp}/b.txt`, { fromPathBaseDir: temp, toPathBaseDir: temp })
    return api.readTextFile(`${dir}/b.txt`)
  },
  async create(api, { dir, inTemp }) {
    const file = await api.create(`${inTemp}/new.txt`, { baseDir: api.BaseDirectory.Temp })
    const count = await file.write(new TextEncoder().encode('new'))
    const read = await file.read(new Uint8Array(1)).catch(String)
    await file.close()
    return [count, read, await api.readTextFile(`${dir}/new.txt`)]
  },
  async exists(api, { dir }) {
    return [await api.exists(`${dir}/a.txt`), await api.exists(`${dir}/none`)]
  },
  async lstat(api, { dir }) {
    const { isFile, isDirectory, isSymlink } = await api.lstat(`${dir}/link`)
    return [isFile, isDirectory, isSymlink]
  },
  async mkdir(api, { dir }) {
    await api.mkdir(`${dir}/x/y`, { recursive: true })
    await api.mkdir(`${dir}/x/y`, { recursive: true })
    return [await api.exists(`${dir}/x/y`), await api.mkdir(`${dir}/p/q`).catch(error => error.replace(dir, ''))]
  },
  async open(api, { dir }) {
    const refusals: unknown[] = []
    const path = `${dir}/a.txt`
    for (const options of [{ write: true, createNew: true }, { create: true }, { append: true, truncate: true }]) {
      refusals.push(await api.open(path, options).catch(error => error.replace(dir, '')))
    }
    return refusals
  },
  async read(api, { dir }) {
    const file = await api.open(`${dir}/a.txt`)
    const buffer = new Uint8Array(5)
    const counts = [await file.read(buffer)]
    const text = new TextDecoder().decode(buffer)
    counts.push(await file.read(buffer), await file.read(buffer))
    await file.close()
    return [counts, text]
  },
  async write(api, { dir }) {
    const file = await api.open(`${dir}/a.txt`, { append: true })
    const count = await file.write(new TextEncoder().encode('three'))
    await file.close()
    return [count, await api.readTextFile(`${dir}/a.txt`)]
  },
  async seek(api, { dir }) {
    const file = await api.open(`${dir}/a.txt`, { read: true, write: true })
    const at = [
      await file.seek(4, api.SeekMode.Start),
      await file.seek(-2, api.SeekMode.End),
      await file.seek(1, api.SeekMode.Current),
    ]
    await file.write(new TextEncoder().encode('!'))
    const refused = await file.seek(-9, api.SeekMode.Current).catch(String)
    await file.close()
    return [at, refused, await api.readTextFile(`${dir}/a.txt`)]
  },
  async stat(api, { dir }) {
    const info = await api.stat(`${dir}/link`)
    const file = await api.open(new URL(`file://${dir}/a.txt`))
    const handleInfo = await file.stat()
    await file.close()
    return [info.isFile, info.isSymlink, info.size, info.mtime instanceof Date, handleInfo.ino === info.ino]
  },
  async truncate(api, { dir }) {
    await api.truncate(`${dir}/a.txt`, 3)
    const file = await api.open(`${dir}/a.txt`, { write: true })
    const before = await api.readTextFile(`${dir}/a.txt`)
    await file.truncate()
    await file.close()
    return [before, await api.readTextFile(`${dir}/a.txt`)]
  },
  async rid(api, { dir }) {
    const file = await api.open(`${dir}/a.txt`)
    await file.close()
    return Number.isInteger(file.rid)
  },
  async close(api, { dir }) {
    const file = await api.open(`${dir}/a.txt`)
    await file.close()
    return String(await file.read(new Uint8Array(1)).catch(String)).replace(String(file.rid), 'N')
  },
  async readDir(api, { inTemp }) {
    const entries = await api.readDir(inTemp, { baseDir: api.BaseDirectory.Temp })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  },
  async readFile(api, { dir }) {
    return [
      [...(await api.readFile(`${dir}/a.txt`))],
      await api.readFile(`${dir}/none`).catch(error => error.replace(dir, '')),
    ]
  },
  async readTextFile(api, { inTemp }) {
    return api.readTextFile(`${inTemp}/a.txt`, { baseDir: api.BaseDirectory.Temp })
  },
  async readTextFileLines(api, { dir }) {
    const lines = await api.readTextFileLines(`${dir}/a.txt`)
    const read: string[] = []
    for await (const line of lines) read.push(line)
    for await (const line of lines) {
      read.push(line)
      break
    }
    return read
  },
  async remove(api, { dir }) {
    await api.mkdir(`${dir}/full/er`, { recursive: true })
    await api.writeTextFile(`${dir}/full/er/x`, 'x')
    const refused = await api.remove(`${dir}/full`).catch(error => error.replace(dir, ''))
    await api.remove(`${dir}/full`, { recursive: true })
    await api.remove(`${dir}/a.txt`)
    await api.remove(`${dir}/gone`)
    return [refused, await api.exists(`${dir}/full`), await api.exists(`${dir}/a.txt`)]
  },
  async rename(api, { dir }) {
    await api.rename(`${dir}/a.txt`, `${dir}/c.txt`)
    return [await api.exists(`${dir}/a.txt`), await api.readTextFile(`${dir}/c.txt`)]
  },
  async size(api, { dir }) {
    await api.mkdir(`${dir}/sized`)
    await api.writeTextFile(`${dir}/sized/b.txt`, '12345')
    await api.writeTextFile(`${dir}/sized/c.txt`, '123')
    return [await api.size(`${dir}/a.txt`), await api.size(`${dir}/sized`)]
  },
  async writeFile(api, { dir, inTemp }) {
    await api.writeFile(`${dir}/a.txt`, new Uint8Array([1, 2, 255]))
    const stream = new Blob(['from ', 'a stream']).stream()
    await api.writeFile(`${inTemp}/s.txt`, stream, { baseDir: api.BaseDirectory.Temp })
    return [[...(await api.readFile(`${dir}/a.txt`))], await api.readTextFile(`${dir}/s.txt`)]
  },
  async writeTextFile(api, { dir }) {
    await api.writeTextFile(`${dir}/ä ö.txt`, 'ü\n')
    await api.writeTextFile(`${dir}/ä ö.txt`, '!', { append: true })
    const refused = await api
      .writeTextFile(`${dir}/none`, 'x', { create: false })
      .catch(error => error.replace(dir, ''))
    return [await api.readTextFile(`${dir}/ä ö.txt`), refused]
  },
  async watchImmediate(api, { dir }) {
    let onEvent: ((event: Api.WatchEvent) => void) | undefined
    const first = new Promise<Api.WatchEvent>(resolve => (onEvent = resolve))
    const unwatch = await api.watchImmediate(dir, event => onEvent?.(event))
    await api.writeTextFile(`${dir}/w.txt`, 'x')
    const { paths } = await first
    unwatch()
    return paths.map(path => path.replace(dir, ''))
  },
  async watch(api, { dir }) {
    const events: Api.WatchEvent[] = []
    let finish: (() => void) | undefined
    const finished = new Promise<void>(resolve => (finish = resolve))
    const onEvent = (event: Api.WatchEvent): void => {
      events.push(event)
      if (event.paths.includes(`${dir}/last`)) finish?.()
    }
    const unwatch = await api.watch(dir, onEvent, { delayMs: 200 })
    for (const text of ['x', 'y', 'z']) await api.writeTextFile(`${dir}/w.txt`, text)
    await api.writeTextFile(`${dir}/last`, 'x')
    await finished
    unwatch()
    // On a busy machine, more than the delay passes between two writes.
    return [events[0]!, events.at(-1)!].map(({ type, paths }) => [type, paths.map(path => path.replace(dir, ''))])
  },
  async startAccessingSecurityScopedResource(api, { dir }) {
    return (await api.startAccessingSecurityScopedResource(`${dir}/a.txt`)) ?? null
  },
  async stopAccessingSecurityScopedResource(api, { dir }) {
    return (await api.stopAccessingSecurityScopedResource(`${dir}/a.txt`)) ?? null
  },
}

const MISSING = 'with error: No such file or directory (os error 2)'
const INVALID = 'failed to open file at path: /a.txt with error: Invalid argument (os error 22)'

export const EXPECTED: Record<keyof typeof TRIALS, unknown> = {
  copyFile: 'one\ntwo\n',
  create: [3, 'faied to read bytes from file with error: Bad file descriptor (os error 9)', 'new'],
  exists: [true, false],
  lstat: [false, false, true],
  mkdir: [true, `failed to create directory at path: /p/q ${MISSING}`],
  open: ['failed to open file at path: /a.txt with error: File exists (os error 17)', INVALID, INVALID],
  read: [[5, 3, null], 'one\nt'],
  write: [5, 'one\ntwo\nthree'],
  seek: [[4, 6, 7], 'failed to seek file with error: Invalid argument (os error 22)', 'one\ntwo!'],
  stat: [true, false, 8, true, true],
  truncate: ['one', ''],
  rid: true,
  close: 'The resource id N is invalid.',
  readDir: [
    { name: 'a.txt', isDirectory: false, isFile: true, isSymlink: false },
    { name: 'gone', isDirectory: false, isFile: false, isSymlink: true },
    { name: 'link', isDirectory: false, isFile: true, isSymlink: true },
  ],
  readFile: [[...Buffer.from('one\ntwo\n')], `failed to read file as text at path: /none ${MISSING}`],
  readTextFile: 'one\ntwo\n',
  readTextFileLines: ['one', 'two', 'one'],
  remove: ['failed to remove path: /full with error: Directory not empty (os error 39)', false, false],
  rename: [false, 'one\ntwo\n'],
  size: [8, 8],
  writeFile: [[1, 2, 255], 'from a stream'],
  writeTextFile: ['ü\n!', `failed to open file at path: /none ${MISSING}`],
  watchImmediate: ['/w.txt'],
  watch: [
    [{ create: { kind: 'file' } }, ['/w.txt']],
    [{ create: { kind: 'file' } }, ['/last']],
  ],
  startAccessingSecurityScopedResource: null,
  stopAccessingSecurityScopedResource: null,
}
