// The download over real threads: its progress, its end, and no files left after a cancel or a failure.
import { createBus, type Bus, type Client } from '@sallyport/core'
import { createClient } from '@sallyport/frontend'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type core from '../../core.js'
import { startServer } from '../../server.js'

const MIB = 1024 * 1024
let directory: string
let bus: Bus | undefined
let server: Awaited<ReturnType<typeof startServer>> | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-download-'))
})

afterEach(async () => {
  await bus?.close()
  server?.close()
  await rm(directory, { recursive: true })
})

async function start(options: Parameters<typeof startServer>[0]) {
  const { origin, counts } = (server = await startServer(options))
  bus = await createBus({
    core: new URL('../../core.js', import.meta.url),
    log: false,
    config: { plugins: { downloads: { directory } } },
    capabilities: [
      {
        identifier: 'tests',
        windows: ['tests'],
        permissions: [{ identifier: 'downloads:allow-download', allow: [{ origin }] }],
      },
    ],
  })
  const connection: Client = await bus.connect('tests')
  const client = createClient<typeof core>(connection)
  const download = (name: string, url = `${origin}/${name}`, signal?: AbortSignal) =>
    client.stream('plugin:downloads|download', { url, name }, signal ? { signal } : {})
  return { client, counts, download }
}

test('reports its progress in order, and writes the file', async () => {
  const { download } = await start({ size: 3 * MIB + 1 })
  const received: number[] = []
  for await (const progress of download('a.bin')) {
    expect(progress.total).toBe(3 * MIB + 1)
    received.push(progress.received)
  }
  expect(received).toEqual(received.toSorted((a, b) => a - b))
  expect(received.at(-1)).toBe(3 * MIB + 1)
  expect(await readdir(directory)).toEqual(['a.bin'])
  expect(await stat(join(directory, 'a.bin'))).toMatchObject({ size: 3 * MIB + 1 })
})

test('a cancel ends the request, and removes the partial file', async () => {
  const { download, counts } = await start({ size: 1024 * MIB })
  const controller = new AbortController()
  const progress = download('a.bin', undefined, controller.signal)
  await progress.next()
  expect(await readdir(directory)).toEqual([expect.stringMatching(/^\..+\.part$/)])
  controller.abort()
  await expect(progress.next()).rejects.toMatchObject({ reason: 'Cancelled' })
  await expect.poll(() => readdir(directory)).toEqual([])
  await expect.poll(() => counts.closed).toBe(1)
})

test('leaving the loop or closing the frontend ends the request, and removes the partial file', async () => {
  const { client, download, counts } = await start({ size: 1024 * MIB })
  for await (const { received } of download('a.bin')) if (received > MIB) break
  await expect.poll(() => counts.closed).toBe(1)
  await download('b.bin').next()
  await client.close()
  await expect.poll(() => counts.closed).toBe(2)
  await expect.poll(() => readdir(directory)).toEqual([])
})

test('a frontend that does not read its progress pauses the download', async () => {
  const size = 2048 * MIB
  const { download, counts } = await start({ size })
  const progress = download('a.bin')
  await progress.next()
  let sent = -1
  // Waits until the server pauses, because the data in flight is bounded.
  while (sent !== counts.sent) {
    sent = counts.sent
    await delay(300)
  }
  expect(sent).toBeLessThan(size / 2)
  for await (const { received } of progress) if (received > sent) break
  expect(counts.sent).toBeGreaterThan(sent)
})

test('core removes partial files of an earlier core when it starts', async () => {
  await writeFile(join(directory, '.b0f2.part'), '')
  await writeFile(join(directory, 'a.part'), '')
  await start({ size: 1 })
  expect(await readdir(directory)).toEqual(['a.part'])
})

test('a server that disconnects causes an error, and leaves no file', async () => {
  const { download } = await start({ size: 4 * MIB, hangUpAt: MIB })
  const read = async () => {
    for await (const { received } of download('a.bin')) expect(received).toBeLessThanOrEqual(MIB)
  }
  await expect(read()).rejects.toMatchObject({ reason: 'CommandFailed', data: 'terminated' })
  expect(await readdir(directory)).toEqual([])
})

test.each([
  ['a', 'http://127.0.0.1:9/', 'CommandFailed', 'forbidden origin: http://127.0.0.1:9'],
  ['a', 'file:///etc/passwd', 'CommandFailed', 'forbidden origin: null'],
  ['../a', undefined, 'InvalidParams', 'name'],
  ['.a', undefined, 'InvalidParams', 'name'],
])('%s from %s is rejected: %s', async (name, url, reason, message) => {
  const { download, counts } = await start({ size: 1 })
  await expect(download(name, url).next()).rejects.toMatchObject({ reason, message: expect.stringContaining(message) })
  expect([counts.sent, await readdir(directory)]).toEqual([0, []])
})
