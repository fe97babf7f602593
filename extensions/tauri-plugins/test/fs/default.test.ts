import { BaseDirectory } from '@sallyport/core'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { call, createPlace, startFs, writeFile } from './start.js'

const { root } = createPlace()
const before = process.env['XDG_DATA_HOME']
process.env['XDG_DATA_HOME'] = join(root, 'data')
const { clients } = await startFs({ main: ['fs:default'] })
afterAll(() => {
  if (before === undefined) delete process.env['XDG_DATA_HOME']
  else process.env['XDG_DATA_HOME'] = before
})
const app = join(root, 'data/org.example.fs')
beforeEach(() => {
  mkdirSync(join(app, 'notes'), { recursive: true })
  writeFileSync(join(app, 'notes/a.txt'), 'a')
})

test.runIf(process.platform === 'linux')("fs:default reads the app's own directories", async () => {
  const options = { baseDir: BaseDirectory.AppData }
  const bytes = await call(clients['main']!, 'read_text_file', { path: 'notes/a.txt', options })
  expect(Buffer.from(bytes as ArrayBuffer).toString()).toBe('a')
  expect(await call(clients['main']!, 'mkdir', { path: app, options: { recursive: true } })).toBeNull()
})

test.runIf(process.platform === 'linux')('fs:default writes no file, and reads nothing else', async () => {
  expect(await writeFile(clients['main']!, join(app, 'a.txt'), 'x')).toMatch(/^refused: .*not allowed/)
  expect(await call(clients['main']!, 'read_dir', { path: join(root, 'data') })).toMatch(/^refused: forbidden path/)
})
