// Opens a page of a report in headless Chromium, if installed: at CHROMIUM, or /usr/bin/chromium.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium = existsSync(executablePath)

export interface View {
  width: number
  scheme: 'light' | 'dark'
}

export interface Opened {
  page: Page
  /** The output, errors and network requests of the page. */
  complaints: string[]
}

export interface Pages {
  browser: Browser
  open(view: View): Promise<Opened>
  end(): Promise<void>
}

/** @param shared a browser that is already open, which the caller closes */
export async function servePage(html: string, shared?: Browser): Promise<Pages> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
  const file = join(directory, 'report.html')
  writeFileSync(file, html)
  const url = pathToFileURL(file).href
  const browser = shared ?? (await chromium.launch({ executablePath, args: ['--no-sandbox'] }))
  return {
    browser,
    open: async ({ width, scheme }) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme })
      const complaints: string[] = []
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(String(error)))
      page.on(
        'request',
        request => request.url() === url || request.url() === 'data:,' || complaints.push(request.url()),
      )
      await page.goto(url)
      return { page, complaints }
    },
    end: async () => {
      await Promise.all(browser.contexts().map(context => context.close()))
      if (!shared) await browser.close()
      rmSync(directory, { recursive: true })
    },
  }
}
