// One frontend's work on directories and the calls of another: they wait for each other only for paths that contain each other.
import type { Client } from '@sallyport/core'
import { mkdirSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { call, createPlace, startFs } from './start.js'

let held = 0
let release = (): void => {}
let released: Promise<void>
/** Holds operations on entries with the name `held` until they are released. */
async function passGate(path: unknown): Promise<void> {
  if (basename(String(path)) !== 'held') return
  held++
  await released
}
const { lstat, rename } = promises

beforeAll(() => {
  promises.lstat = (async (...args: Parameters<typeof lstat>) => {
    await passGate(args[0])
    return lstat(...args)
  }) as typeof lstat
  promises.rename = async (from, to) => {
    await passGate(to)
    return rename(from, to)
  }
  // The sources import these functions by name.
  syncBuiltinESMExports()
})
afterAll(() => {
  Object.assign(promises, { lstat, rename })
  syncBuiltinESMExports()
})
beforeEach(() => {
  held = 0
  released = new Promise(resolve => (release = resolve))
})
afterEach(() => release())

const { dir } = createPlace()
const [busy, calm] = ['busy', 'calm'].map(name => join(dir, name)) as [string, string]
let attacker: Client
let other: Client

beforeAll(async () => {
  const all = ['fs:read-all', 'fs:write-all', 'fs:allow-size']
  const scope = (...allow: string[]) => ({ permission: 'fs:scope', allow })
  const { clients } = await startFs({
    attacker: [...all, scope(busy, `${busy}/**`)],
    other: [...all, scope(dir, `${dir}/**`)],
  })
  attacker = clients['attacker']!
  other = clients['other']!
})

const readText = async (path: string): Promise<string> => {
  const answer = await call(other, 'read_text_file', { path })
  return typeof answer === 'string' ? answer : Buffer.from(answer as ArrayBuffer).toString()
}

/** Creates directories with files, one of which is held. */
function createFiles(): void {
  for (const path of [join(busy, 'tree'), join(calm, 'tree')]) mkdirSync(path, { recursive: true })
  for (const path of [join(busy, 'tree/held'), join(busy, 'tree/a'), join(calm, 'a')]) writeFileSync(path, 'text')
}

test('while the size of a directory is counted, others read, create, list and move, in that directory too', async () => {
  createFiles()
  const sizes = Array.from({ length: 6 }, () => call(attacker, 'size', { path: busy }))
  await expect.poll(() => held).toBe(6)
  const existing = [call(attacker, 'mkdir', { path: join(busy, 'tree') })]
  expect(await readText(join(calm, 'a'))).toBe('text')
  expect(await readText(join(busy, 'tree/a'))).toBe('text')
  expect(await call(other, 'mkdir', { path: join(busy, 'tree/new') })).toBeNull()
  expect(await call(other, 'read_dir', { path: join(busy, 'tree') })).toHaveLength(3)
  const [oldPath, newPath] = [join(calm, 'tree'), join(calm, 'moved')]
  expect(await call(other, 'rename', { oldPath, newPath })).toBeNull()
  expect(await Promise.all(existing)).toEqual([expect.stringContaining('File exists')])
  expect(held).toBe(6)
  release()
  expect(await Promise.all(sizes)).toEqual(Array(6).fill(8))
})

test('while a directory is moved, calls on other paths go on, and calls on its own path wait', async () => {
  createFiles()
  const move = call(attacker, 'rename', { oldPath: join(busy, 'tree'), newPath: join(busy, 'held') })
  await expect.poll(() => held).toBe(1)
  expect(await readText(join(calm, 'a'))).toBe('text')
  expect(await call(other, 'read_dir', { path: dir })).toHaveLength(2)
  expect(await call(other, 'stat', { path: busy })).toMatchObject({ isDirectory: true })
  expect(await call(other, 'mkdir', { path: join(calm, 'new') })).toBeNull()
  let isCreated = false
  const inside = call(other, 'mkdir', { path: join(busy, 'tree/late') }).finally(() => (isCreated = true))
  expect(await call(other, 'exists', { path: join(calm, 'a') })).toBe(true)
  expect(isCreated).toBe(false)
  release()
  expect(await move).toBeNull()
  expect(await inside).toContain('No such file or directory')
})

test.runIf(process.platform === 'linux')(
  'while a tree is about to be watched, others move directories in it',
  async () => {
    mkdirSync(join(busy, 'deep/held'), { recursive: true })
    mkdirSync(calm)
    const onEvent = new attacker.Channel<{ type: object; paths: string[] }>()
    const watch = call(attacker, 'watch', { paths: [busy], options: { recursive: true }, onEvent })
    await expect.poll(() => held).toBe(1)
    const [oldPath, newPath] = [join(busy, 'deep'), join(calm, 'deep')]
    expect(await call(other, 'rename', { oldPath, newPath })).toBeNull()
    release()
    expect(await watch).toEqual(expect.any(Number))
    for await (const { type, paths } of onEvent) {
      expect([type, paths]).toEqual([{ remove: { kind: 'any' } }, [oldPath]])
      break
    }
  },
)
