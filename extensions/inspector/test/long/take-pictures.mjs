// Takes the pictures of the inspector's head for README and site, docs/assets/inspector-{light,dark}.png: of a bus with plugins that crash, are
// denied, block their thread, and block core. With `--serve` it only prints the URL, until Ctrl-C. CHROMIUM names the browser.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { createBus } from '@sallyport/core'

const getFile = name => new URL(`../fixtures/plugins/${name}.mjs`, import.meta.url)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
// Paths in the page are relative to the working directory.
process.chdir(fileURLToPath(getFile('x').href.replace('x.mjs', '')))

const plugins = {
  editor: { allow: ['read_note', 'save_note'] },
  search: { allow: ['search'] },
  importer: { allow: ['parse'] },
  weather: { allow: ['search'], sandbox: 'process' },
  report: { allow: ['render_pdf'] },
  crashy: { supervision: { intensity: 1000, period: 60_000, delay: { min: 1500, max: 2000 } } },
  backup: { supervision: { restart: 'temporary' } },
  spinner: { sandbox: 'process', supervision: { heartbeat: 20_000 } },
}
const core = { module: getFile('core'), supervision: { heartbeat: false } }
const bus = await createBus({ core, log: false })
const inspector = await bus.openInspector()
console.log(inspector.url)

/** Starts the plugins. Some are slow to fail, and the page needs a while for its charts. */
async function run() {
  for (const [label, options] of Object.entries(plugins))
    await bus.open(label, getFile(label), { loaded: false, ...options })
  await sleep(20_000)
  await bus.call('report', 'render', { ms: 3000 })
  await sleep(20_000)
  bus.call('spinner', 'spin').catch(() => {})
}

async function takePictures() {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const directory = new URL('../../../../docs/assets/', import.meta.url)
  mkdirSync(directory, { recursive: true })
  const pages = {}
  for (const colorScheme of ['light', 'dark']) {
    const page = (pages[colorScheme] = await browser.newPage({
      viewport: { width: 900, height: 900 },
      deviceScaleFactor: 1.5,
      colorScheme,
    }))
    await page.goto(inspector.url)
  }
  await run()
  await sleep(6000)
  for (const [scheme, page] of Object.entries(pages)) {
    const { y, height } = await page.locator('#verdict').boundingBox()
    const clip = { x: 0, y: 0, width: 900, height: y + height + 8 }
    await page.screenshot({ path: fileURLToPath(new URL(`inspector-${scheme}.png`, directory)), clip })
  }
  await browser.close()
}

try {
  if (process.argv.includes('--serve')) {
    await run()
    await new Promise(resolve => process.once('SIGINT', resolve))
  } else await takePictures()
} finally {
  await bus.close({ timeout: 0 })
}
