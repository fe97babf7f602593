// Headless Chromium: the variable CHROMIUM names it, or /usr/bin/chromium is used if it exists.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium = existsSync(executablePath)

export interface Screen {
  width: number
  scheme: 'light' | 'dark'
}

export const SCREENS: readonly Screen[] = [1280, 768, 390].flatMap((width): Screen[] => [
  { width, scheme: 'light' },
  { width, scheme: 'dark' },
])

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] })

export interface OpenPage {
  page: Page
  /** Console messages, errors, and requests to other sites. */
  complaints: string[]
}

export async function openPage(
  browser: Browser,
  url: string,
  { width, scheme }: Screen = SCREENS[0]!,
): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' })
  const complaints: string[] = []
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('request', request => {
    const requested = request.url()
    if (requested !== 'data:,' && new URL(requested).origin !== new URL(url).origin) complaints.push(requested)
  })
  await page.goto(url)
  return { page, complaints }
}

/** A script for the page that returns the texts with less contrast than WCAG AA requires. */
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
