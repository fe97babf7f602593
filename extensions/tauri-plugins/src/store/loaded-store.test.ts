import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from '@sallyport/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LoadedStore, StoreContent } from './loaded-store.js'

let directory: string
const logged: unknown[] = []
const app = { log: { error: (...line: unknown[]) => void logged.push(line) } } as unknown as App

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-'))
})
afterEach(async () => {
  vi.useRealTimers()
  logged.length = 0
  await rm(directory, { recursive: true })
})

const file = (): string => join(directory, 'a.json')

async function load(autoSave?: number): Promise<LoadedStore> {
  const path = { directory, file: file() }
  const store = new LoadedStore({ app, path, name: 'a.json', maxBytes: 1000, onReleased: async () => {} })
  await store.load({ defaults: undefined, autoSave, createNew: false, overrideDefaults: false })
  return store
}

test('a corrupt file is reported by its new name', async () => {
  await writeFile(file(), 'no')
  await load()
  expect(logged).toEqual([
    [
      expect.objectContaining({ store: 'a.json', file: expect.stringMatching(/^a\.json\.corrupt-\d+$/) }),
      'Store is corrupt. Its file was renamed, and the defaults are used',
    ],
  ])
})

test('an auto-save that fails is logged, and the changes stay unsaved', async () => {
  const store = await load()
  await store.change(content => [content.set('a', 1)])
  await rm(directory, { recursive: true })
  await writeFile(directory, '')
  await store.flush()
  expect(logged).toEqual([[expect.objectContaining({ store: 'a.json' }), 'Store was not saved']])
  await rm(directory)
  const { mkdir } = await import('node:fs/promises')
  await mkdir(directory)
  await store.flush()
  expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ a: 1 })
})

test('saves that wait are one', async () => {
  const store = await load(0)
  const toJson = vi.spyOn(store.content, 'toJson')
  const changes = Array.from({ length: 50 }, (_, at) => store.change(content => [content.set('a', at)]))
  await Promise.all(changes)
  expect(toJson.mock.calls.length).toBeLessThanOrEqual(2)
  expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ a: 49 })
})

test('changes without a pause are saved after the delay of the first', async () => {
  const store = await load(1000)
  const flush = vi.spyOn(store, 'flush').mockResolvedValue()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await store.change(content => [content.set('a', 1)])
  vi.advanceTimersByTime(900)
  expect(flush).not.toHaveBeenCalled()
  await store.change(content => [content.set('a', 'last')])
  vi.advanceTimersByTime(100)
  expect(flush).toHaveBeenCalledOnce()
})

test('a pretty file never exceeds what can be read again', async () => {
  const store = await load()
  await store.change(content => [
    content.set(
      'a',
      Array.from({ length: 300 }, () => 1),
    ),
  ])
  await store.flush()
  expect((await readFile(file(), 'utf8')).length).toBeLessThan(1000)
  await store.reload(true)
  expect(store.content.get('a')).toHaveLength(300)
})

test('a store has at most 10 000 keys', () => {
  const content = new StoreContent(1_000_000)
  for (let key = 0; key < 10_000; key++) content.set(String(key), null)
  expect(() => content.set('more', null)).toThrow('Failed to serialize store. It would have more than 10000 keys.')
  content.set('1', 'changed')
  content.delete('2')
  expect(content.set('more', 1)).toEqual({ key: 'more', value: 1, exists: true })
})
