// @ts-check
// The host: a directory for downloads, a server to download from, a frontend that can download only from that server, and a plugin that
// compresses a download.
import { createBus } from '@sallyport/core'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from './server.js'

const directory = await mkdtemp(join(tmpdir(), 'sallyport-download-'))
const server = await startServer({ size: 4 * 1024 * 1024, pause: 5 })
const { origin } = server
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  frontends: {
    main: {
      module: new URL('./main.js', import.meta.url),
      data: { origin },
      onStdio: text => process.stdout.write(text),
    },
    packer: new URL('./packer.js', import.meta.url),
  },
  config: { plugins: { downloads: { directory } } },
  capabilities: [
    {
      identifier: 'main',
      windows: ['main'],
      permissions: [{ identifier: 'downloads:allow-download', allow: [{ origin }] }],
    },
  ],
})
try {
  await bus.once('done', { timeout: 60_000 })
  const photo = join(directory, 'photo.jpg')
  await writeFile(`${photo}.gz`, bus.stream('packer', 'gzip', { body: createReadStream(photo) }))
} finally {
  await bus.close() // core has removed the cancelled download by then
  server.close()
  console.log('In the directory:', (await readdir(directory)).join(', '))
  await rm(directory, { recursive: true })
}
