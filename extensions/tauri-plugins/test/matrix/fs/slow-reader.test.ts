import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPlace, startFs } from '../../fs/start.js'

interface Event {
  type: object | string
  paths: string[]
}

const { dir } = createPlace()
const FILES = 40_000
/** The most paths that a watcher keeps. */
const MAX_PENDING = 10_000

test('a frontend that reads no events gets at most those of 10,000 paths later, and is asked to read again', async () => {
  const permissions = ['fs:read-all', { permission: 'fs:scope', allow: [dir, `${dir}/**`] }]
  const { clients } = await startFs({ slow: permissions, quick: permissions })
  const slow = clients['slow']!
  const quick = clients['quick']!
  const unread = new slow.Channel<Event>()
  const read = new quick.Channel<Event>()
  await slow.invoke('plugin:fs|watch', { paths: [dir], options: {}, onEvent: unread } as never)
  await quick.invoke('plugin:fs|watch', { paths: [dir], options: {}, onEvent: read } as never)
  const seen = new Set<string>()
  void (async () => {
    for await (const { paths } of read) for (const path of paths) seen.add(path)
  })().catch(() => undefined)
  for (let from = 0; from < FILES; from += 1000) {
    for (let at = from; at < from + 1000; at++) writeFileSync(join(dir, `f${at}`), '')
    // Both watchers get the same changes from the system, and the other one has sent these.
    writeFileSync(join(dir, `end${from}`), '')
    await expect.poll(() => seen.has(join(dir, `end${from}`))).toBe(true)
  }
  const received = new Set<string>()
  let isAskedToReadAgain = false
  for await (const { type, paths } of unread) {
    for (const path of paths) received.add(path)
    if (type === 'other') {
      isAskedToReadAgain = true
      break
    }
  }
  expect(isAskedToReadAgain).toBe(true)
  // Those that were in flight, too.
  expect(received.size).toBeLessThan(MAX_PENDING * 2)
})
