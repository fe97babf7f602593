// Headless Chromium, where there is one: CHROMIUM says where, /usr/bin/chromium is looked for.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium = existsSync(executablePath)

export interface Look {
  width: number
  scheme: 'light' | 'dark'
}

export const LOOKS: readonly Look[] = [1280, 768, 390].flatMap((width): Look[] => [
  { width, scheme: 'light' },
  { width, scheme: 'dark' },
])

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] })

export interface Opened {
  page: Page
  /** What it printed, threw, or asked of others. */
  complaints: string[]
}

export async function openPage(browser: Browser, url: string, { width, scheme }: Look = LOOKS[0]!): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' })
  const complaints: string[] = []
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('request', request => {
    const asked = request.url()
    if (asked !== 'data:,' && new URL(asked).origin !== new URL(url).origin) complaints.push(asked)
  })
  await page.goto(url)
  return { page, complaints }
}

/** In the page: the texts whose contrast to what is behind them is less than WCAG AA asks for. */
export const FAINT_TEXTS = `(() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number)
  const light = colour => channels(colour).slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0)
  const isSolid = colour => (channels(colour)[3] ?? 1) === 1
  const behind = element => {
    if (element.namespaceURI.endsWith('svg') && element.previousElementSibling) return getComputedStyle(element.previousElementSibling).fill
    for (let at = element; at; at = at.parentElement) if (isSolid(getComputedStyle(at).backgroundColor)) return getComputedStyle(at).backgroundColor
    return 'rgb(255, 255, 255)'
  }
  const faint = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim() !== '')
    if (!own || !element.checkVisibility() || element.closest('.hidden, noscript, option')) continue
    const { color, fill } = getComputedStyle(element)
    const [one, other] = [light(element.namespaceURI.endsWith('svg') ? fill : color), light(behind(element))]
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    if (contrast < 4.5) faint.push(element.textContent.trim().slice(0, 40) + ' ' + contrast.toFixed(2))
  }
  return faint
})()`
