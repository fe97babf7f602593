// Frontends with many calls: the others are not delayed, and core's memory and files are bounded.
import type { Client } from '@sallyport/core'
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { call, createPlace, startFs } from './start.js'

const { dir } = createPlace()
let main: Client
let other: Client

beforeAll(async () => {
  const entries = ['fs:read-all', 'fs:write-all', { permission: 'fs:scope', allow: [dir, `${dir}/**`] }]
  const { clients } = await startFs({ main: entries, other: entries })
  main = clients['main']!
  other = clients['other']!
})

test('moves of a frontend do not delay another frontend', async () => {
  for (let directory = 0; directory < 20; directory++) {
    mkdirSync(join(dir, `tree/${directory}`), { recursive: true })
    for (let file = 0; file < 50; file++) writeFileSync(join(dir, `tree/${directory}/${file}`), '')
  }
  writeFileSync(join(dir, 'a.txt'), 'one')
  const [from, to] = [join(dir, 'tree'), join(dir, 'moved')]
  const order: string[] = []
  const moves = Array.from({ length: 60 }, (_, at) =>
    call(main, 'rename', at % 2 ? { oldPath: to, newPath: from } : { oldPath: from, newPath: to }).then(() =>
      order.push('move'),
    ),
  )
  await call(other, 'read_file', { path: join(dir, 'a.txt') })
  order.push('read')
  await Promise.all(moves)
  expect(order.indexOf('read')).toBeLessThan(30)
  expect(order).toHaveLength(61)
})

test.runIf(process.platform === 'linux')('calls of a frontend open a few files at a time', async () => {
  const path = join(dir, 'a.bin')
  writeFileSync(path, new Uint8Array(64 * 1024))
  const countOpen = (): number =>
    readdirSync('/proc/self/fd').filter(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path
      } catch {
        return false
      }
    }).length
  let isReading = true
  const reads = Promise.all(Array.from({ length: 300 }, () => call(main, 'read_file', { path }))).finally(() => {
    isReading = false
  })
  let most = 0
  for (; isReading; most = Math.max(most, countOpen())) await setImmediate()
  expect(await reads).toHaveLength(300)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(8)
})
