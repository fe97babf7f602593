import type { Client } from '@sallyport/core'
import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { call, createPlace, startFs } from './start.js'
import { rows } from '../../../../scripts/testing.js'

interface Event {
  type: object | string
  paths: string[]
}

const { dir } = createPlace()
const permissions = [
  'fs:read-all',
  { permission: 'fs:scope', allow: [dir, `${dir}/**`], deny: [`${dir}/private/**`, `${dir}/*.key`] },
]
let main: Client
let other: Client
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const { clients } = await startFs({ main: permissions, other: permissions })
  main = clients['main']!
  other = clients['other']!
})
beforeEach(() => writeFileSync(join(dir, 'a.txt'), 'a'))
afterEach(() => Promise.all(closers.splice(0).map(close => close())))

/** Watches, and returns an array that grows with the events. */
async function watch(
  client: Client,
  options: object,
  paths: unknown = [dir],
): Promise<{ events: Event[]; rid: number }> {
  const channel = new client.Channel<Event>()
  const events: Event[] = []
  const rid = (await client.invoke('plugin:fs|watch', { paths, options, onEvent: channel } as never)) as number
  void (async () => {
    for await (const event of channel) events.push(event)
  })().catch(() => undefined)
  closers.push(() => client.invoke('plugin:resources|close', { rid }).catch(() => undefined))
  return { events, rid }
}

/** Waits until an event of this kind has come for the path. */
const expectEvent = (events: Event[], kind: string, path: string): Promise<void> =>
  expect
    .poll(() => events.map(({ type, paths }) => [Object.keys(type)[0], paths[0]]))
    .toContainEqual([kind, join(dir, path)])

test('reports entries that are created, changed, renamed and removed', async () => {
  const { events } = await watch(main, {})
  writeFileSync(join(dir, 'new'), 'x')
  await expectEvent(events, 'create', 'new')
  writeFileSync(join(dir, 'a.txt'), 'changed')
  await expectEvent(events, 'modify', 'a.txt')
  renameSync(join(dir, 'new'), join(dir, 'renamed'))
  await expectEvent(events, 'remove', 'new')
  await expectEvent(events, 'create', 'renamed')
  rmSync(join(dir, 'renamed'))
  await expectEvent(events, 'remove', 'renamed')
})

test('reports a file alone', async () => {
  const { events } = await watch(main, {}, [join(dir, 'a.txt')])
  writeFileSync(join(dir, 'b.txt'), 'x')
  writeFileSync(join(dir, 'a.txt'), 'changed')
  await expectEvent(events, 'modify', 'a.txt')
  expect(new Set(events.map(({ paths }) => paths[0]))).toEqual(new Set([join(dir, 'a.txt')]))
})

test('reports what is below a directory with recursive, also in directories that appear', async () => {
  mkdirSync(join(dir, 'sub/deep'), { recursive: true })
  const { events } = await watch(main, { recursive: true })
  writeFileSync(join(dir, 'sub/deep/x'), 'x')
  await expectEvent(events, 'create', 'sub/deep/x')
  mkdirSync(join(dir, 'later/deep'), { recursive: true })
  writeFileSync(join(dir, 'later/deep/y'), 'y')
  await expectEvent(events, 'create', 'later/deep/y')
  writeFileSync(join(dir, 'later/deep/z'), 'z')
  await expectEvent(events, 'create', 'later/deep/z')
})

test('reports nothing below a directory without recursive', async () => {
  mkdirSync(join(dir, 'sub'))
  const { events } = await watch(main, {})
  writeFileSync(join(dir, 'sub/x'), 'x')
  writeFileSync(join(dir, 'last'), 'x')
  await expectEvent(events, 'create', 'last')
  expect(events.flatMap(({ paths }) => paths)).not.toContain(join(dir, 'sub/x'))
})

test('reports no path that is denied', async () => {
  mkdirSync(join(dir, 'private'))
  const { events } = await watch(main, { recursive: true })
  for (const name of ['private/x', 'secret.key', '.hidden']) writeFileSync(join(dir, name), 'x')
  writeFileSync(join(dir, 'last'), 'x')
  await expectEvent(events, 'create', 'last')
  const reported = events.flatMap(({ paths }) => paths)
  for (const name of ['private/x', 'secret.key', '.hidden']) expect(reported).not.toContain(join(dir, name))
})

test('reports a path that changes again and again within the delay once', async () => {
  const { events } = await watch(main, { delayMs: 500 })
  for (const text of ['x', 'y', 'z']) writeFileSync(join(dir, 'changed'), text)
  writeFileSync(join(dir, 'last'), 'x')
  await expectEvent(events, 'create', 'last')
  expect(events.filter(({ paths }) => paths.includes(join(dir, 'changed')))).toHaveLength(1)
})

test('reports nothing after it was closed', async () => {
  const [first, second] = [await watch(main, {}), await watch(main, {})]
  await main.invoke('plugin:resources|close', { rid: first.rid })
  writeFileSync(join(dir, 'last'), 'x')
  await expectEvent(second.events, 'create', 'last')
  expect(first.events).toEqual([])
})

test('is refused with wrong arguments', () =>
  rows([
    ['no paths', { paths: [], onEvent: '__CHANNEL__:1' }],
    ['too many paths', { paths: Array.from({ length: 100 }, () => '/') }],
    ['no channel', { paths: ['/'], onEvent: {} }],
    ['a wrong delay', { paths: ['/'], options: { delayMs: -1 } }],
  ])(async (_name, args) => {
    expect(await call(main, 'watch', args)).toMatch(/^refused: /)
  }))

test('a frontend has at most 64 watchers', async () => {
  const watched = await Promise.allSettled(Array.from({ length: 70 }, () => watch(main, {})))
  const refused = watched.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(6)
  expect(String((refused[0] as PromiseRejectedResult).reason)).toContain('64 watchers are open. Close one first.')
})

test.runIf(process.platform === 'linux')('a frontend that disconnects leaves no descriptor open', async () => {
  const countOpen = (): number =>
    readdirSync('/proc/self/fd').filter(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir)
      } catch {
        return false
      }
    }).length
  const before = countOpen()
  await watch(other, { recursive: true })
  for (const command of ['open', 'read_text_file_lines']) await call(other, command, { path: join(dir, 'a.txt') })
  expect(countOpen()).toBe(before + 2)
  await other.close()
  await expect.poll(countOpen).toBe(before)
})
