// Headless Chromium: the variable CHROMIUM names it, or /usr/bin/chromium is used if it exists.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium: boolean = existsSync(executablePath)
if (!hasChromium) console.warn(`The tests in a browser are skipped: there is no ${executablePath}`)

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] })
