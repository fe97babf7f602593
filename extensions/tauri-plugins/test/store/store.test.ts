// The unmodified guest of Tauri's plugin `store`, in a worker and in a process.
import { createBus, type Bus, type BusOptions } from '@sallyport/core'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defineCore } from '@sallyport/core'
import { store, type StoreOptions } from '../../src/store/store.js'
import { choose } from '../../../../scripts/testing.js'

const guest = new URL('./fixtures/guest.mjs', import.meta.url)
let directory: string
let bus: Bus

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stores-'))
})
afterEach(async () => {
  await bus.close()
  await rm(directory, { recursive: true })
})

type Sandbox = 'permission' | 'process'

async function start(
  options: StoreOptions = {},
  labels = ['main'],
  sandbox: Sandbox = 'permission',
  more: Partial<BusOptions> = {},
) {
  bus = await createBus({
    core: defineCore({ plugins: [store({ directory, ...options })] }),
    frontends: Object.fromEntries(labels.map(label => [label, { module: guest, sandbox, allow: ['store:default'] }])),
    log: false,
    ...more,
  })
  return getGuest('main')
}

type Outcome = { value?: unknown; error?: unknown }

function getGuest(label: string) {
  const call = (name: string, args: object): Promise<Outcome> => bus.call<Outcome>(label, name, args)
  return {
    load: (path: string, options?: object, as?: string) => call('load', { path, options, as }),
    getStore: (path: string) => call('getStore', { path }),
    do: (path: string, name: string, ...args: unknown[]) => call('do', { path, name, args }),
    invoke: (command: string, args: object) => call('invoke', { command: `plugin:store|${command}`, args }),
    watch: (path: string, key?: string) => call('watch', { path, key }),
    changes: () => bus.call<unknown[]>(label, 'changes'),
  }
}

const file = (...names: string[]): string => join(directory, 'stores', ...names)
const read = async (...names: string[]): Promise<unknown> =>
  JSON.parse(await readFile(file(...names), 'utf8')) as unknown

const environments: [Sandbox, Partial<BusOptions>][] = [
  ['permission', {}],
  ['permission', { isolation: {} }],
  ['process', {}],
]

describe.each(choose(environments))('in a sandbox %s %o', (sandbox, more) => {
  test('every function of the guest answers as in Tauri', async () => {
    const main = await start({}, ['main'], sandbox, more)
    const loaded = await main.load('a.json', { defaults: { theme: 'dark' } })
    expect(loaded.value).toBeGreaterThan(0)
    expect(await main.load('a.json', { defaults: { theme: 'light' } })).toEqual(loaded)
    expect(await main.getStore('a.json')).toEqual(loaded)
    expect(await main.getStore('b.json')).toEqual({ value: null })
    await main.watch('a.json')
    await main.do('a.json', 'set', 'list', [1, { two: null }])
    const answers = []
    for (const [name, ...args] of [
      ...[['get', 'list'], ['get', 'missing'], ['has', 'theme'], ['keys'], ['values'], ['entries'], ['length']],
      ...[
        ['delete', 'list'],
        ['delete', 'list'],
        ['reset'],
        ['set', 'theme', 'blue'],
        ['reset'],
        ['clear'],
        ['length'],
        ['save'],
      ],
    ] as [string, ...unknown[]][]) {
      answers.push((await main.do('a.json', name, ...args)).value ?? null)
    }
    expect(answers).toEqual([
      ...[[1, { two: null }], null, true, ['theme', 'list'], ['dark', [1, { two: null }]]],
      ...[
        [
          ['theme', 'dark'],
          ['list', [1, { two: null }]],
        ],
        2,
        true,
        false,
        null,
        null,
        null,
        null,
        0,
        null,
      ],
    ])
    expect(await main.changes()).toEqual([
      ['list', [1, { two: null }]],
      ['list', null],
      ['theme', 'blue'],
      ['theme', 'dark'],
      ['theme', null],
    ])
    expect(await read('main', 'a.json')).toEqual({})
  })
})

describe('loading', () => {
  test('merges the file over the defaults', async () => {
    const main = await start()
    await mkdir(file('main'), { recursive: true })
    await writeFile(file('main', 'a.json'), '{"b":2,"c":3}')
    await main.load('a.json', { defaults: { a: 1, b: 1 } })
    expect((await main.do('a.json', 'entries')).value).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
  })

  test('with overrideDefaults takes the file alone', async () => {
    const main = await start()
    await mkdir(file('main'), { recursive: true })
    await writeFile(file('main', 'a.json'), '{"b":2}')
    await main.load('a.json', { defaults: { a: 1 }, overrideDefaults: true })
    expect((await main.do('a.json', 'entries')).value).toEqual([['b', 2]])
  })

  test('with createNew forgets the store and its number', async () => {
    const main = await start()
    const first = await main.load('a.json')
    await main.do('a.json', 'set', 'a', 1)
    const second = await main.load('a.json', { createNew: true }, 'new')
    expect(second.value).not.toBe(first.value)
    expect(await main.do('a.json', 'length')).toEqual({ error: `The resource id ${String(first.value)} is invalid.` })
    expect(await main.do('new', 'length')).toEqual({ value: 0 })
  })

  test('takes the flat options of older guests', async () => {
    const main = await start()
    const { value: rid } = await main.invoke('load', { path: 'a.json', defaults: { a: 1 }, autoSave: 100 })
    expect(await main.invoke('get', { rid, key: 'a' })).toEqual({ value: [1, true] })
  })

  test('twice at once gives one store', async () => {
    const main = await start()
    const [first, second] = await Promise.all([main.load('a.json'), main.load('a.json')])
    expect(first).toEqual(second)
  })

  test('keeps a corrupt file aside', async () => {
    const main = await start()
    await mkdir(file('main'), { recursive: true })
    await writeFile(file('main', 'a.json'), '{"half":')
    await main.load('a.json', { defaults: { a: 1 } })
    expect((await main.do('a.json', 'entries')).value).toEqual([['a', 1]])
    const [name] = await readdir(file('main'))
    expect(name).toMatch(/^a\.json\.corrupt-\d+$/)
    expect(await readFile(file('main', name!), 'utf8')).toBe('{"half":')
  })

  test('with a function for the format fails', async () => {
    const main = await start()
    expect(await main.load('a.json', { serializeFnName: 'x' })).toEqual({ error: 'Serialize Function "x" not found' })
    expect(await main.load('a.json', { deserializeFnName: 'x' })).toEqual({
      error: 'Deserialize Function "x" not found',
    })
  })
})

describe('reload', () => {
  test('rejects if the file is missing', async () => {
    const main = await start()
    await main.load('a.json')
    expect(await main.do('a.json', 'reload')).toEqual({ error: 'No such file or directory (os error 2)' })
  })

  test('takes what another program wrote, over the present content or in its place', async () => {
    const main = await start()
    await main.load('a.json', { defaults: { a: 1 }, autoSave: false })
    await main.do('a.json', 'save')
    await writeFile(file('main', 'a.json'), '{"b":2}')
    await main.do('a.json', 'reload')
    expect((await main.do('a.json', 'entries')).value).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    await main.do('a.json', 'reload', { ignoreDefaults: true })
    expect((await main.do('a.json', 'entries')).value).toEqual([['b', 2]])
  })

  test('rejects if the file is corrupt, and keeps the content', async () => {
    const main = await start()
    await main.load('a.json', { defaults: { a: 1 } })
    await main.do('a.json', 'save')
    await writeFile(file('main', 'a.json'), '[]')
    expect(await main.do('a.json', 'reload')).toEqual({
      error: 'Failed to deserialize store. It is not a JSON object.',
    })
    expect((await main.do('a.json', 'length')).value).toBe(1)
  })
})

describe('saving', () => {
  test('at once with autoSave 0', async () => {
    const main = await start()
    await main.load('a.json', { autoSave: 0 })
    await main.do('a.json', 'set', 'a', 1)
    expect(await read('main', 'a.json')).toEqual({ a: 1 })
  })

  test.each([100_000, false] as const)('at the end of the bus with autoSave %s', async autoSave => {
    const main = await start()
    await main.load('a.json', { autoSave })
    await main.do('a.json', 'set', 'a', 1)
    await expect(read('main', 'a.json')).rejects.toHaveProperty('code', 'ENOENT')
    await bus.close()
    expect(await read('main', 'a.json')).toEqual({ a: 1 })
  })

  test('when the store is closed', async () => {
    const main = await start()
    await main.load('a.json', { autoSave: 100_000 })
    await main.do('a.json', 'set', 'a', 1)
    await main.do('a.json', 'close')
    expect(await read('main', 'a.json')).toEqual({ a: 1 })
    expect(await main.getStore('a.json')).toEqual({ value: null })
  })

  test('when the frontend ends', async () => {
    const main = await start()
    await main.load('a.json', { autoSave: 100_000 })
    await main.do('a.json', 'set', 'a', 1)
    await bus.reload('main')
    await main.load('a.json')
    expect((await main.do('a.json', 'entries')).value).toEqual([['a', 1]])
  })

  test('leaves no other file', async () => {
    const main = await start()
    await main.load('a.json')
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => main.do('a.json', 'set', `k${i}`, i).then(() => main.do('a.json', 'save'))),
    )
    expect(await readdir(file('main'))).toEqual(['a.json'])
    expect(Object.keys((await read('main', 'a.json')) as object)).toHaveLength(20)
  })
})

describe('borders', () => {
  test('paths that lead elsewhere, or that not every platform can have, are refused', async () => {
    const main = await start()
    for (const path of [
      ...[
        '/etc/passwd',
        '../a.json',
        'a/../../b',
        '..',
        '',
        '.',
        'a\0b',
        'C:\\a',
        'C:a',
        '\\\\host\\x',
        '\\a',
        'a.txt::$DATA',
      ],
      ...['con', 'NUL.json', 'a.', 'a ', 'a.json~', 'a'.repeat(101), 'a/b/c/d/e', 'a'.repeat(100_000)],
      ...[undefined, 5, ['a'], { path: 'a' }],
    ]) {
      for (const command of ['load', 'get_store']) {
        expect([path, (await main.invoke(command, { path })).error]).toEqual([
          path,
          expect.stringMatching(/^invalid args `path`: /),
        ])
      }
    }
  })

  test('a link to a directory outside is refused', async () => {
    const main = await start()
    await mkdir(file('main'), { recursive: true })
    await writeFile(join(directory, 'secret.json'), '{"a":1}')
    await symlink(directory, file('main', 'out'))
    await symlink(join(directory, 'secret.json'), file('main', 'link.json'))
    expect((await main.load('out/secret.json')).error).toMatch(/a link leads out/)
    expect((await main.load('link.json')).error).toMatch(/a link leads out/)
  })

  test('labels share neither stores, numbers nor changes', async () => {
    const main = await start({}, ['main', 'other'])
    const other = getGuest('other')
    const { value: rid } = await main.load('a.json')
    await other.load('a.json')
    await other.watch('a.json')
    await main.do('a.json', 'set', 'secret', 1)
    expect(await other.invoke('get', { rid, key: 'secret' })).toEqual({
      error: `The resource id ${String(rid)} is invalid.`,
    })
    expect((await other.do('a.json', 'length')).value).toBe(0)
    expect(await other.changes()).toEqual([])
    expect((await other.load('stores/main/a.json')).value).toBeGreaterThan(0)
    expect((await other.do('stores/main/a.json', 'length')).value).toBe(0)
  })

  test('labels that differ in case or characters have directories of their own', async () => {
    const labels = ['a', 'A', 'a-b', 'a_b', 'con']
    await start({}, ['main', ...labels])
    for (const label of labels) {
      const each = getGuest(label)
      await each.load('x.json', { autoSave: 0 })
      await each.do('x.json', 'set', 'label', label)
    }
    const names = await readdir(join(directory, 'stores'))
    expect(new Set(names.map(name => name.toLowerCase())).size).toBe(labels.length)
  })

  test("stores: 'app' shares stores, each label with a number of its own, and notifies both", async () => {
    const main = await start({ stores: 'app' }, ['main', 'other'])
    const other = getGuest('other')
    const [mine, theirs] = [await main.load('a.json'), await other.load('a.json')]
    expect(mine.value).not.toBe(theirs.value)
    await other.watch('a.json', 'theme')
    await main.do('a.json', 'set', 'theme', 'dark')
    expect(await other.do('a.json', 'get', 'theme')).toEqual({ value: 'dark' })
    expect(await other.changes()).toEqual([['theme', 'dark']])
    await main.do('a.json', 'close')
    expect(await other.do('a.json', 'get', 'theme')).toEqual({ value: 'dark' })
    await bus.close()
    expect(JSON.parse(await readFile(join(directory, 'a.json'), 'utf8'))).toEqual({ theme: 'dark' })
  })

  test('a function shares stores between labels of one name', async () => {
    const main = await start({ stores: label => label.split('-')[0]! }, ['main', 'main-2', 'other'])
    await main.load('a.json')
    await main.do('a.json', 'set', 'a', 1)
    await getGuest('main-2').load('a.json')
    await getGuest('other').load('a.json')
    expect((await getGuest('main-2').do('a.json', 'length')).value).toBe(1)
    expect((await getGuest('other').do('a.json', 'length')).value).toBe(0)
  })

  test('a store that would grow too large keeps its content', async () => {
    const main = await start({ maxBytes: 1000 })
    await main.load('a.json')
    await main.do('a.json', 'set', 'a', 1)
    const refused = await main.do('a.json', 'set', 'b', 'x'.repeat(1000))
    expect(refused.error).toBe('Failed to serialize store. It would have more than 1000 bytes.')
    expect((await main.do('a.json', 'entries')).value).toEqual([['a', 1]])
  })

  test('a file that is too large is refused, and kept', async () => {
    const main = await start({ maxBytes: 1000 })
    await mkdir(file('main'), { recursive: true })
    await writeFile(file('main', 'a.json'), JSON.stringify({ a: 'x'.repeat(1000) }))
    expect((await main.load('a.json')).error).toBe('Failed to deserialize store. It has more than 1000 bytes.')
    expect(await readdir(file('main'))).toEqual(['a.json'])
  })

  test('a file that cannot be read does not stay open', async () => {
    const main = await start()
    await mkdir(file('main'), { recursive: true })
    await writeFile(file('main', 'a.json'), '{')
    await main.load('a.json')
    const open = await readdir('/proc/self/fd')
    const links = await Promise.all(open.map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
    expect(links.filter(link => link.startsWith(directory))).toEqual([])
  })

  test('a label has a limited number of files, also if a function names its directory', async () => {
    const main = await start({ stores: () => 'ours' })
    await main.load('a.json', { autoSave: 0 })
    await main.do('a.json', 'set', 'a', 1)
    const [name] = await readdir(file())
    await Promise.all(Array.from({ length: 255 }, (_, i) => writeFile(file(name!, `${i}.json`), '{}')))
    expect((await main.load('b.json')).error).toMatch(/256 files/)
  })

  test('a function that gives a directory no name refuses the store', async () => {
    const main = await start({ stores: () => '' })
    expect((await main.load('a.json')).error).toBe('Store refused: the host gave its directory no name.')
  })

  test('a frontend can hold a limited number of stores', async () => {
    const main = await start()
    for (let i = 0; i < 32; i++) expect((await main.load(`${i}.json`)).error).toBeUndefined()
    expect((await main.load('32.json')).error).toBe('Store refused: 32 stores are loaded. Close some of them.')
    expect((await main.load('0.json')).error).toBeUndefined()
  })

  test('a frontend cannot hold more stores by loading them at the same time', async () => {
    const main = await start()
    const loads = Array.from({ length: 200 }, (_, i) => main.invoke('load', { path: `${i}.json` }))
    expect((await Promise.all(loads)).filter(({ error }) => error === undefined)).toHaveLength(32)
  })

  test('keys like members of every object are kept', async () => {
    const main = await start()
    await main.load('a.json', { autoSave: 0 })
    await main.do('a.json', 'set', '__proto__', { polluted: true })
    await main.do('a.json', 'set', 'constructor', 1)
    expect((await main.do('a.json', 'keys')).value).toEqual(['__proto__', 'constructor'])
    expect(await readFile(file('main', 'a.json'), 'utf8')).toContain('"__proto__"')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('wrong numbers of stores are refused', async () => {
    const main = await start()
    for (const rid of [-1, '1', {}, 2 ** 53, null, undefined]) {
      for (const command of ['get', 'set', 'save', 'reload', 'entries', 'delete']) {
        const { error } = await main.invoke(command, { rid, key: 'a', value: 1 })
        expect(error).toMatch(/^The resource id .* is invalid\.$/s)
      }
    }
  })
})
