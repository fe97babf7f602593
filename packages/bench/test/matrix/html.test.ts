// The page in a browser, at several widths and in both themes.
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHtml } from '../../src/report/html.js'
import { allScenarios } from '../../src/scenarios/index.js'
import { hasChromium, type Pages, servePage } from '../page.js'
import { getScenario, hostileScenario, mainScenarios, noisySample, tooNoisy } from '../sample-report.js'

const report = noisySample([...allScenarios(), hostileScenario])
const WIDTHS = [1280, 768, 390]

/** Returns the texts that are in sight, with their rectangles. */
const getPlaces = (page: Page, selector: string): Promise<{ text: string; box: number[] }[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].filter(element => element.checkVisibility()).map(element => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    return { text: element.textContent, box: [left, top, right, bottom] }
  })`)

// Chromium is not installed everywhere. The tests that need none are next to the code.
describe.skipIf(!hasChromium)('the page in Chromium', { timeout: 60_000 }, () => {
  let pages: Pages
  beforeAll(async () => {
    pages = await servePage(toHtml(report))
  }, 60_000)
  afterAll(() => pages.end())

  test.each(['light', 'dark'] as const)(
    'fits a wide, a middle and a narrow screen when the theme is %s, prints nothing and requests nothing',
    async scheme => {
      const { page, complaints } = await pages.open({ width: WIDTHS[0]!, scheme })
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      }
      expect(complaints).toEqual([])
      await page.close()
    },
  )

  test.each([
    ['light', 1280],
    ['light', 390],
    ['dark', 1280],
    ['dark', 390],
  ] as const)('has no violations in axe when the theme is %s and the width %d', async (scheme, width) => {
    const { page } = await pages.open({ width, scheme })
    await page.evaluate(axe.source)
    expect(
      await page.evaluate(`axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`),
    ).toEqual([])
    await page.close()
  })

  test('marks better and worse in the colours of both themes', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'light' })
    const colours = (): Promise<string[]> =>
      page.evaluate(
        `['better', 'worse'].map(tone => getComputedStyle(document.querySelector('td.' + tone + ' .sub span')).color)`,
      )
    const light = await colours()
    expect(new Set(light).size).toBe(2)
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await colours()
    for (const [at, colour] of light.entries()) expect(dark[at]).not.toBe(colour)
    await page.close()
  })

  test('is at most 6000 px high, with the verdict and the first two tables above the fold', async () => {
    const main = await servePage(toHtml(noisySample(mainScenarios())), pages.browser)
    const { page } = await main.open({ width: 1280, scheme: 'light' })
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThanOrEqual(6000)
    const bottoms = (await getPlaces(page, '.answer, .verdict')).map(({ box }) => box[3]!)
    expect(bottoms).toHaveLength(7)
    expect(Math.max(bottoms[1]!, bottoms[2]!)).toBeLessThan(900)
    await main.end()
  })

  test('has the theme of the system', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'dark' })
    const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const dark = await paper()
    await page.emulateMedia({ colorScheme: 'light' })
    const light = await paper()
    expect(light).not.toBe(dark)
    await page.close()
  })

  test('uses only grey where identical arms differ', async () => {
    const noisy = await servePage(toHtml(tooNoisy(noisySample([getScenario('formats')]))), pages.browser)
    const { page } = await noisy.open({ width: 1280, scheme: 'light' })
    expect(await page.locator('.better, .worse').count()).toBe(0)
    const text: string = await page.evaluate('document.body.innerText')
    expect(text).toContain('Refused: ')
    await noisy.end()
  })

  test('can be used by keyboard: skip link, and tables that scroll', async () => {
    const { page } = await pages.open({ width: 390, scheme: 'light' })
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent.trim()')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the figures')
    const ring: number = await page.evaluate('parseFloat(getComputedStyle(document.activeElement).outlineWidth)')
    expect(ring).toBeGreaterThanOrEqual(2)
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    const unreachable: number = await page.evaluate(
      `[...document.querySelectorAll('.scroll')].filter(one => one.tabIndex !== 0 || !one.getAttribute('aria-label')).length`,
    )
    expect(unreachable).toBe(0)
    await page.close()
  })

  test('prints on paper in the light theme, and complete', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'dark' })
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.byteLength).toBeGreaterThan(50_000)
    await page.setViewportSize({ width: 720, height: 1000 })
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('light')
    const wide: string[] = await page.evaluate(`[...document.querySelectorAll('table')]
      .filter(one => one.getBoundingClientRect().right > 720).map(one => one.textContent.trim().slice(0, 80))`)
    expect(wide).toEqual([])
    await page.close()
  })
})
