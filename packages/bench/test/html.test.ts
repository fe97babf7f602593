// The page as a reader has it: in a browser, at the widths and in the themes that there are.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHtml } from '../src/report/html/page.js'
import { everyFigure } from '../src/report/report.js'
import { allScenarios } from '../src/scenarios/index.js'
import { hasChromium, servePage, type Look, type Pages } from './page.js'
import { hostileScenario, noisySample } from './sample-report.js'

const report = noisySample([...allScenarios(), hostileScenario])
const LOOKS: Look[] = [1280, 768, 390].flatMap(width => [
  { width, scheme: 'light' },
  { width, scheme: 'dark' },
])

/** Rectangles of what is in sight. */
const placesOf = (page: Page, selector: string): Promise<{ text: string; box: number[] }[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].filter(one => one.checkVisibility()).map(one => {
    const { left, top, right, bottom } = one.getBoundingClientRect()
    return { text: one.textContent, box: [left, top, right, bottom] }
  })`)

/** Charts that were folded are drawn now. */
async function unfold(page: Page): Promise<void> {
  await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`)
  const width = `Math.min(...[...document.querySelectorAll('.plot canvas')].map(({ clientWidth }) => clientWidth))`
  await expect.poll(() => page.evaluate(width)).toBeGreaterThan(200)
}

const overlap = ([a, b, c, d]: number[], [e, f, g, h]: number[]): boolean => a! < g! && e! < c! && b! < h! && f! < d!

// Chromium is not everywhere; the tests that need none are beside the code.
describe.skipIf(!hasChromium)('the page in Chromium', () => {
  let pages: Pages
  beforeAll(async () => {
    pages = await servePage(toHtml(report))
  }, 60_000)
  afterAll(() => pages.end())

  test.each(LOOKS)(
    '$width px, $scheme: says nothing, asks for nothing, and is no wider than the screen',
    async look => {
      const { page, complaints } = await pages.open(look)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.width)
      await unfold(page)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.width)
      const labels = [...(await placesOf(page, '.axis .tick')), ...(await placesOf(page, '.end'))]
      expect(labels.length).toBeGreaterThan(20)
      const collisions = labels.flatMap(({ text, box }, at) =>
        labels.slice(at + 1).flatMap(other => (overlap(box, other.box) ? [`${text} · ${other.text}`] : [])),
      )
      expect(collisions).toEqual([])
      const outside = labels.filter(({ box: [left, , right] }) => left! < 0 || right! > look.width)
      expect(outside).toEqual([])
      expect(complaints).toEqual([])
      await page.close()
    },
  )

  test('every figure of the JSON stands in a table once, with its full value, and in the list of every figure', async () => {
    const { page } = await pages.open(LOOKS[0]!)
    const numbers = (selector: string): Promise<[string, number[]][]> =>
      page.evaluate(`[...document.querySelectorAll('[${selector}]')].map(cell =>
        [cell.getAttribute('${selector}'), [...cell.querySelectorAll('data')].map(({ value }) => Number(value))])`)
    const places = everyFigure(report)
    expect(places.length).toBeGreaterThan(100)
    const byPath = (one: [string, unknown], other: [string, unknown]): number => (one[0] < other[0] ? -1 : 1)
    const inTables = (await numbers('data-figure')).sort(byPath)
    expect(inTables).toEqual(
      places
        .map(({ path, figure: { median, ratio, interval }, arm, scenario }): [string, number[]] => [
          path,
          arm.id === scenario.reference || ratio === null ? [median] : [median, ratio, ...(interval ?? [])],
        ])
        .sort(byPath),
    )
    expect((await numbers('data-every')).sort(byPath)).toEqual(
      places
        .map(({ path, figure }): [string, number[]] => [
          path,
          [
            figure.median,
            figure.low,
            figure.high,
            figure.ratio,
            ...(figure.interval ?? []),
            figure.smallestEffect,
          ].filter(value => value !== null),
        ])
        .sort(byPath),
    )
    await page.close()
  })

  test('every chart is drawn: rows with their intervals, and lines in the colours of both themes', async () => {
    const { page } = await pages.open(LOOKS[0]!)
    const ratios = everyFigure(report).filter(({ figure }) => figure.interval !== null)
    const drawn: number = await page.evaluate(
      `[...document.querySelectorAll('section[id^=scenario-] .row')].filter(row => row.querySelector('.range') && row.querySelector('.point')).length`,
    )
    expect(drawn).toBeGreaterThanOrEqual(ratios.length)
    const inks = (): Promise<string[]> =>
      page.evaluate(`[...document.querySelectorAll('.panel:not(details *) .plot canvas')].map(canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        const colours = new Map()
        for (let at = 0; at < data.length; at += 4) {
          if (data[at + 3] < 255) continue
          const colour = data.slice(at, at + 3).join()
          colours.set(colour, (colours.get(colour) ?? 0) + 1)
        }
        return [...colours].filter(([, pixels]) => pixels > 100).map(([colour]) => colour).sort().join(' ')
      })`)
    const light = await inks()
    expect(light.length).toBeGreaterThanOrEqual(2)
    for (const colours of light) expect(colours.split(' ').length).toBeGreaterThan(2)
    await page.getByLabel('Dark', { exact: true }).check()
    for (const [at, colours] of light.entries()) {
      await expect.poll(async () => (await inks())[at]).not.toBe(colours)
    }
    await page.close()
  })

  test('the theme is the system’s until another is chosen, which stays', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'dark' })
    const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const dark = await paper()
    await page.emulateMedia({ colorScheme: 'light' })
    const light = await paper()
    expect(light).not.toBe(dark)
    await page.getByLabel('Dark', { exact: true }).check()
    expect(await paper()).toBe(dark)
    await page.reload()
    expect(await paper()).toBe(dark)
    await page.getByLabel('Auto', { exact: true }).check()
    expect(await paper()).toBe(light)
    await page.close()
  })

  test('by keyboard: a way past the contents, the themes, arms of a chart, tables that scroll, each in sight of its focus', async () => {
    const { page } = await pages.open({ width: 390, scheme: 'light' })
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent.trim()')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the figures')
    const ring: number = await page.evaluate('parseFloat(getComputedStyle(document.activeElement).outlineWidth)')
    expect(ring).toBeGreaterThanOrEqual(2)
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    const arm = page.locator('.legend button').first()
    await arm.focus()
    await page.keyboard.press('Space')
    expect(await arm.getAttribute('aria-pressed')).toBe('false')
    await page.locator('input[value=auto]').focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light')
    const unreachable: number = await page.evaluate(
      `[...document.querySelectorAll('.scroll')].filter(one => one.tabIndex !== 0 || !one.getAttribute('aria-label')).length`,
    )
    expect(unreachable).toBe(0)
    await page.close()
  })

  test('on paper: light, everything unfolded, nothing cut off', async () => {
    const { page } = await pages.open({ width: 1280, scheme: 'dark' })
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.byteLength).toBeGreaterThan(50_000)
    await page.setViewportSize({ width: 720, height: 1000 })
    await page.emulateMedia({ media: 'print' })
    await page.evaluate(`dispatchEvent(new Event('beforeprint'))`)
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light')
    expect(await page.locator('details.more:not([open])').count()).toBe(0)
    const wide: string[] = await page.evaluate(`[...document.querySelectorAll('table, .rows')]
      .filter(one => one.getBoundingClientRect().right > 720).map(one => one.textContent.trim().slice(0, 80))`)
    expect(wide).toEqual([])
    await page.evaluate(`dispatchEvent(new Event('afterprint'))`)
    expect(await page.locator('details.more[open]').count()).toBe(0)
    await page.close()
  })
})
