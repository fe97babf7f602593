// Whatever ends first, a frontend, the bus or core: nothing that the plugins keep open for a frontend stays open.
import { type Bus, type Client, createBus, defineCore, type Plugin } from '@sallyport/core'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { dialog, fs, http, log, notification, store } from '../../src/index.js'
import { type LocalServer, serveSockets } from '../http/servers.js'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-leaks-')))
const file = join(dir, 'a.txt')
const settings = join(dir, 'settings')
let bus: Bus | undefined
let server: LocalServer
beforeAll(() => writeFileSync(file, 'one\ntwo\n'))
afterEach(() => bus?.close())
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const never = (): Promise<never> => new Promise(() => {})
const createPlugins = (): Plugin[] => [
  ...[fs(), http(), store({ directory: settings }), log(), dialog({ message: never }), notification({ notify: never })],
]
const createAllow = (origin: string) => [
  ...['fs:read-all', 'store:default', 'log:default', 'dialog:default', 'notification:default'],
  { permission: 'fs:scope', allow: [dir, `${dir}/**`] },
  { permission: 'http:default', allow: [`${origin}/*`] },
]

/** Starts a server that sends the head and a part of a body for `/body`, and nothing for other paths. */
const serveHalf = (): Promise<LocalServer> =>
  serveSockets(socket => {
    socket.on('data', bytes => {
      if (bytes.includes('/body')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart')
    })
  })

/** Opens one of everything that stays open, without an end of its own. */
async function holdAll(client: Client, origin: string): Promise<void> {
  const invoke = (command: string, args: object): Promise<unknown> => client.invoke(`plugin:${command}`, args as never)
  const hang = (command: string, args: object): void => void invoke(command, args).catch(() => {})
  const fetch = (path: string): Promise<unknown> =>
    invoke('http|fetch', { clientConfig: { method: 'GET', url: origin + path, headers: [], data: null } })
  await invoke('fs|open', { path: file })
  await invoke('fs|read_text_file_lines', { path: file })
  await invoke('fs|watch', {
    paths: [dir],
    options: { recursive: true, delayMs: 100_000 },
    onEvent: new client.Channel(),
  })
  await fetch('/unsent')
  await invoke('http|fetch_send', { rid: await fetch('/body') })
  hang('http|fetch_send', { rid: await fetch('/stalled') })
  const rid = await invoke('store|load', { path: 'a.json', options: { autoSave: 100_000 } })
  await invoke('store|set', { rid, key: 'a', value: client.label })
  await invoke('log|log', { level: 3, message: 'a' })
  hang('dialog|message', { message: 'a' })
  hang('notification|notify', { options: { title: 'a' } })
  writeFileSync(join(dir, `changed-${client.label}`), '')
  await expect.poll(() => server.sockets.size).toBe(2)
}

/** Counts what the process has open in the directory: files, and watchers by their number of inodes. */
function countOpen(): { files: number; watches: number } {
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return [fd, readlinkSync(`/proc/self/fd/${fd}`)] as const
    } catch {
      return [fd, ''] as const
    }
  })
  const watchers = links.filter(([, link]) => link === 'anon_inode:inotify').map(([fd]) => readInfo(fd))
  return {
    files: links.filter(([, link]) => link.startsWith(dir)).length,
    watches: watchers.flatMap(info => info.match(/^inotify /gm) ?? []).length,
  }
}

function readInfo(fd: string): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
  } catch {
    return ''
  }
}

type Counts = Readonly<Record<string, number>>

/** Counts the timers, sockets and handles of this thread, and files and watchers of the process. */
function measure(): Counts {
  const counts: Record<string, number> = { ...countOpen(), connections: server.sockets.size }
  // Ports belong to the bus, which other files of this process use too.
  const kinds = process.getActiveResourcesInfo().filter(kind => kind !== 'MessagePort')
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Measures in `expect.poll`, whose timers count as open. */
async function measureAtRest<T>(measureNow: () => T): Promise<T> {
  let counts: T
  await expect.poll(() => (counts = measureNow())).toBeDefined()
  return counts!
}

/** Waits until nothing is open that was not open before. */
const waitForEnd = (before: Counts, measureNow: () => Counts): Promise<void> =>
  expect.poll(() => Object.entries(measureNow()).filter(([kind, count]) => count > (before[kind] ?? 0))).toEqual([])

const readSettings = (label: string): unknown =>
  (JSON.parse(readFileSync(join(settings, 'stores', label, 'a.json'), 'utf8')) as { a?: unknown }).a

test.runIf(process.platform === 'linux')(
  'a frontend that disconnects leaves nothing open, and its store is saved',
  async () => {
    server = await serveHalf()
    bus = await createBus({ core: defineCore({ plugins: createPlugins() }), log: false })
    const before = await measureAtRest(measure)
    const client = await bus.connect('gone', { allow: createAllow(server.origin) as never })
    await holdAll(client, server.origin)
    expect(countOpen().files).toBeGreaterThanOrEqual(2)
    await client.close()
    await waitForEnd(before, measure)
    expect(readSettings('gone')).toBe('gone')
  },
)

test.runIf(process.platform === 'linux')(
  'a bus that is closed leaves nothing open, and the stores are saved',
  async () => {
    server = await serveHalf()
    const before = await measureAtRest(measure)
    bus = await createBus({ core: defineCore({ plugins: createPlugins() }), log: false })
    await holdAll(await bus.connect('closed', { allow: createAllow(server.origin) as never }), server.origin)
    await bus.close()
    await waitForEnd(before, measure)
    expect(readSettings('closed')).toBe('closed')
  },
)

test.runIf(process.platform === 'linux').each(['reload', 'crash'])('a %s of core leaves nothing open', async end => {
  server = await serveHalf()
  const core = new URL('./fixtures/leaks-core.mjs', import.meta.url)
  process.env['SALLYPORT_TEST_STORES'] = settings
  bus = await createBus({ core, log: false })
  const client = await bus.connect('main', { allow: [...createAllow(server.origin), 'crash'] as never })
  const countAll = (): Counts => ({ ...countOpen(), connections: server.sockets.size })
  const before = await measureAtRest(countAll)
  await holdAll(client, server.origin)
  expect(countOpen().files).toBeGreaterThanOrEqual(2)
  if (end === 'reload') await bus.reload('core')
  else await client.invoke('crash').catch(() => {})
  await waitForEnd(before, countAll)
})
