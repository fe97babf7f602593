// @ts-check
// Starts the app with its page in a browser in place of a window.
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus } from '@sallyport/core'
import { serveFrontends } from '@sallyport/web'
import { buildPage } from './build-page.js'

const dir = join(import.meta.dirname, 'dist')
await buildPage(dir)
mkdirSync(join(tmpdir(), 'sallyport-notes'), { recursive: true })
writeFileSync(join(tmpdir(), 'sallyport-notes/milk.md'), 'Buy milk\nand bread\n', { flag: 'a' })

const bus = await createBus({
  config: new URL('./src-tauri/tauri.conf.json', import.meta.url),
  core: new URL('./src-tauri/core.js', import.meta.url),
})
const web = await serveFrontends(bus, { frontends: { main: { dir } } })
console.log(`Open ${web.url}`)
process.once('SIGINT', () => void bus.close())
