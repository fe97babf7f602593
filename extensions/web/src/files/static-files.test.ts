import { openToRead } from '@sallyport/paths/internal'
import { once } from 'node:events'
import { mkdtemp, realpath, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sendFile } from './static-files.js'

/** Serves a file of ten bytes, which has another size when its content is sent. Returns its URL. */
async function serve(size: number): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-send-')))
  const path = join(directory, 'a.bin')
  await writeFile(path, '0123456789')
  const file = await openToRead(path)
  await truncate(path, size)
  const server = createServer((request, response) => void sendFile(file, request, response, {}))
  // The end of an idle connection would hide an incomplete response.
  server.keepAliveTimeout = 0
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await file.handle.close()
    await rm(directory, { recursive: true })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a file that shrinks while it is sent ends the connection', async () => {
  const response = await fetch(await serve(4))
  expect(response.headers.get('content-length')).toBe('10')
  await expect(response.text()).rejects.toThrow('terminated')
})

test('a file that grows while it is sent keeps its announced length', async () => {
  expect((await (await fetch(await serve(20))).text()).length).toBe(10)
})
