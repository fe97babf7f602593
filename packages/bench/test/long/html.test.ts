// The page in a browser, at several widths and in both themes.
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHtml } from '../../src/report/html.js'
import { everyFigure } from '../../src/report/report.js'
import { allScenarios } from '../../src/scenarios/index.js'
import { hasChromium, servePage, type Pages } from '../page.js'
import { hostileScenario, mainScenarios, noisySample, tooNoisy } from '../sample-report.js'

const report = noisySample([...allScenarios(), hostileScenario])
const WIDTHS = [1280, 768, 390]

/** Returns the texts that are in sight, with their rectangles. */
const getPlaces = (page: Page, selector: string): Promise<{ text: string; box: number[] }[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].filter(element => element.checkVisibility()).map(element => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    return { text: element.textContent, box: [left, top, right, bottom] }
  })`)

const overlap = ([a, b, c, d]: number[], [e, f, g, h]: number[]): boolean => a! < g! && e! < c! && b! < h! && f! < d!

// Chromium is not installed everywhere. The tests that need none are next to the code.
describe.skipIf(!hasChromium)('the page in Chromium', { timeout: 60_000 }, () => {
  let pages: Pages
  beforeAll(async () => {
    pages = await servePage(toHtml(report, true))
  }, 60_000)
  afterAll(() => pages.end())

  test.each(['light', 'dark'] as const)(
    'fits a wide, a middle and a narrow screen when the theme is %s, prints nothing and requests nothing',
    async scheme => {
      const { page, complaints } = await pages.open({ width: WIDTHS[0]!, scheme })
      await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`)
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
        const labels = await getPlaces(page, '.axis .tick')
        expect(labels.length).toBeGreaterThan(20)
        const collisions = labels.flatMap(({ text, box }, at) =>
          labels.slice(at + 1).flatMap(other => (overlap(box, other.box) ? [`${text} · ${other.text}`] : [])),
        )
        expect(collisions).toEqual([])
        expect(labels.filter(({ box: [left, , right] }) => left! < 0 || right! > width)).toEqual([])
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
    await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`)
    await page.evaluate(axe.source)
    expect(
      await page.evaluate(`axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`),
    ).toEqual([])
    await page.close()
  })

  test('has every figure of the JSON in a table once, with its full value', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'light' })
    const numbers = (selector: string): Promise<[string, number[]][]> =>
      page.evaluate(`[...document.querySelectorAll('[${selector}]')].map(cell =>
        [cell.getAttribute('${selector}'), [...cell.querySelectorAll('data')].map(({ value }) => Number(value))])`)
    const places = everyFigure(report)
    expect(places.length).toBeGreaterThan(100)
    const byPath = (a: [string, unknown], b: [string, unknown]): number => (a[0] < b[0] ? -1 : 1)
    const inTables = (await numbers('data-figure')).sort(byPath)
    expect(inTables).toEqual(
      places
        .map(({ path, figure: { median, ratio, interval }, scenario }): [string, number[]] => {
          const isReference = path.split('/')[2] === scenario.reference
          return [path, isReference || ratio === null ? [median] : [median, ratio, ...(interval ?? [])]]
        })
        .sort(byPath),
    )
    await page.close()
  })

  test('draws every interval in the colours of both themes', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'light' })
    const ratios = everyFigure(report).filter(({ figure }) => figure.interval !== null)
    const rows: number = await page.evaluate(
      `[...document.querySelectorAll('section[id^=scenario-] .row')].filter(row => row.querySelector('.range') && row.querySelector('.point')).length`,
    )
    expect(rows).toBeGreaterThanOrEqual(ratios.length)
    const colours = (): Promise<string[]> =>
      page.evaluate(
        `[...new Set([...document.querySelectorAll('.track .point')].map(point => getComputedStyle(point).color))].sort()`,
      )
    const light = await colours()
    expect(light.length).toBeGreaterThan(2)
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await colours()
    expect(dark).toHaveLength(light.length)
    for (const [at, colour] of light.entries()) expect(dark[at]).not.toBe(colour)
    await page.close()
  })

  test('is at most 6000 px high with its tables folded, with the answer, the verdict and the digest above the fold', async () => {
    const main = await servePage(toHtml(noisySample(mainScenarios())), pages.browser)
    const { page } = await main.open({ width: 1280, scheme: 'light' })
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThanOrEqual(6000)
    const bottoms = (await getPlaces(page, '.answer, .verdict, #in-short table')).map(({ box }) => box[3]!)
    expect(bottoms).toHaveLength(3)
    expect(Math.max(...bottoms)).toBeLessThan(1200)
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

  test('uses only grey in charts and tables when the noise check failed', async () => {
    const noisy = await servePage(toHtml(tooNoisy(noisySample(mainScenarios()))), pages.browser)
    const { page } = await noisy.open({ width: 1280, scheme: 'light' })
    expect(await page.locator('.better, .worse').count()).toBe(0)
    const text: string = await page.evaluate('document.body.innerText')
    expect(text.match(/Noise check failed/g)).toHaveLength(1)
    expect(text).toContain('not judged: the noise check failed')
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

  test('prints on paper in the light theme, unfolded and complete', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'dark' })
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.byteLength).toBeGreaterThan(50_000)
    await page.setViewportSize({ width: 720, height: 1000 })
    await page.emulateMedia({ media: 'print' })
    await page.evaluate(`dispatchEvent(new Event('beforeprint'))`)
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('light')
    expect(await page.locator('details.more:not([open])').count()).toBe(0)
    const wide: string[] = await page.evaluate(`[...document.querySelectorAll('table, .rows')]
      .filter(one => one.getBoundingClientRect().right > 720).map(one => one.textContent.trim().slice(0, 80))`)
    expect(wide).toEqual([])
    await page.evaluate(`dispatchEvent(new Event('afterprint'))`)
    expect(await page.locator('details.more[open]').count()).toBe(0)
    await page.close()
  })
})
