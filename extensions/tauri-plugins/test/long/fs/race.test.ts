// Directories change places while files are read, written and removed through them. One contains a link out of the scope.
import type { Client } from '@sallyport/core'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { isMatrix } from '../../../../../scripts/testing.js'
import { call, createPlace, startFs, writeFile } from '../../fs/start.js'

const DURATION_MS = isMatrix ? 30_000 : 1000
const ATTEMPTS = 1000
const TIMEOUT_MS = 120_000
const { dir, root } = createPlace()
const outside = join(root, 'outside')
let clients: Client[]

beforeAll(async () => {
  const permissions = ['fs:read-all', 'fs:write-all', { permission: 'fs:scope', allow: [dir, `${dir}/**`] }]
  const started = await startFs({ main: permissions, reader: permissions })
  clients = Object.values(started.clients)
})
beforeEach(() => {
  for (const name of ['real/sub', 'linked']) mkdirSync(join(dir, name), { recursive: true })
  mkdirSync(outside)
  writeFileSync(join(dir, 'real/sub/file'), 'inside')
  writeFileSync(join(outside, 'file'), 'outside')
  symlinkSync(outside, join(dir, 'linked/sub'))
})

const place = join(dir, 'place/sub')
/** Returns true if the call reached a file or directory out of scope. */
const attacks: ((client: Client, at: number) => Promise<boolean>)[] = [
  async client => {
    const bytes = await call(client, 'read_text_file', { path: join(place, 'file') })
    return typeof bytes !== 'string' && Buffer.from(bytes as ArrayBuffer).toString() === 'outside'
  },
  async client => {
    const rid = await call(client, 'open', { path: join(place, 'file') })
    if (typeof rid !== 'number') return false
    const bytes = Buffer.from((await call(client, 'read', { rid, len: 7 })) as ArrayBuffer)
    await client.invoke('plugin:resources|close', { rid })
    return bytes.toString('utf8', 0, 7) === 'outside'
  },
  async client => {
    const entries = await call(client, 'read_dir', { path: place })
    return Array.isArray(entries) && entries.some(({ name }: { name: string }) => name === 'only-outside')
  },
  async (client, at) => {
    await writeFile(client, join(place, `new-${at % 8}`), 'x')
    await writeFile(client, join(place, 'file'), 'inside', { create: false })
    await call(client, 'mkdir', { path: join(place, `directory-${at % 8}`) })
    await call(client, 'remove', { path: join(place, `new-${at % 8}`) })
    await call(client, 'truncate', { path: join(place, 'file'), len: 6 })
    return false
  },
  async client => {
    const info = (await call(client, 'stat', { path: join(place, 'only-outside') })) as { isFile?: boolean }
    return info.isFile === true
  },
]

/** Attacks until the time is over, often enough, and for as long as `goesOn` returns true. Returns the number of escapes. */
async function attack(goesOn: () => boolean = () => false): Promise<number> {
  writeFileSync(join(outside, 'only-outside'), 'outside')
  const before = readdirSync(outside)
  // oxlint-disable-next-line sallyport/no-real-time -- an attack goes on for a time, and often enough
  const end = Date.now() + DURATION_MS
  let [escapes, attempts] = [0, 0]
  const attackOften = async (attempt: (typeof attacks)[number], client: Client): Promise<void> => {
    // oxlint-disable-next-line sallyport/no-real-time -- the same time
    while (Date.now() < end || attempts < ATTEMPTS || goesOn()) if (await attempt(client, attempts++)) escapes++
  }
  await Promise.all(clients.flatMap(client => attacks.map(each => attackOften(each, client))))
  expect(readdirSync(outside)).toEqual(before)
  expect([readFileSync(join(outside, 'file'), 'utf8'), existsSync(join(outside, 'new-0'))]).toEqual(['outside', false])
  return escapes
}

test(
  'a frontend that renames directories meanwhile',
  async () => {
    const [main] = clients as [Client]
    let renames = 0
    let isOver = false
    const rename = async (): Promise<void> => {
      while (!isOver) {
        for (const name of ['real', 'linked']) {
          const [oldPath, newPath] = [join(dir, name), join(dir, 'place')]
          if ((await call(main, 'rename', { oldPath, newPath })) === null) renames++
          await call(main, 'rename', { oldPath: newPath, newPath: oldPath })
        }
      }
    }
    const renaming = rename()
    // A busy machine renames slowly.
    const escapes = await attack(() => renames <= 100)
    isOver = true
    await renaming
    expect(escapes).toBe(0)
    expect(renames).toBeGreaterThan(100)
  },
  TIMEOUT_MS,
)

test.runIf(process.platform === 'linux')(
  'another process that replaces directories by links meanwhile',
  async () => {
    const swapper: ChildProcess = fork(new URL('./swap.mjs', import.meta.url), [dir])
    try {
      expect(await attack()).toBe(0)
    } finally {
      swapper.kill()
      await once(swapper, 'exit')
    }
  },
  TIMEOUT_MS,
)
