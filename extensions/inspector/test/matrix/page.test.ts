// The page in a browser, with a busy bus: in both themes, on wide and narrow screens.
import { createBus, type Bus, type Client } from '@sallyport/core'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fixture, isolation, soon } from '../support/start.js'
import { FAINT_TEXTS, SCREENS, hasChromium, launch, openPage } from '../support/browser.js'

const HOSTILE = '<img src=x onerror=alert(1)>'
const permissions = ['allow-end', 'allow-echo', 'allow-block', 'allow-wait']
const app = isolation({ identifier: 'all', windows: ['*'], permissions })

/** Returns one cell of the table of frontends. */
const getCell = (page: Page, label: string, column: string): Promise<string> =>
  page.evaluate(`(() => {
    const at = [...document.querySelectorAll('#traffic thead th')].findIndex(each => each.textContent === ${JSON.stringify(column)})
    const row = [...document.querySelectorAll('#traffic tbody tr')].find(each => each.cells[0].textContent === ${JSON.stringify(label)})
    return row?.cells[at].textContent ?? ''
  })()`)

const getText = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText()

// Chromium is not everywhere: other tests cover the feed, and the requests that are refused.
describe.skipIf(!hasChromium)('the page in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser
  let bus: Bus
  let client: Client
  let url: string
  let isBusy = true

  /** Calls, events, denials and rejections, until the test has enough. */
  async function work(): Promise<void> {
    for (let i = 0; isBusy; i++) {
      const calls = Array.from({ length: 5 }, (_, n) => client.invoke('echo', { a: i, b: n }))
      const refused = i % 4 === 0 ? [client.invoke('count'), client.invoke(HOSTILE, { hook: 'null' })] : []
      await Promise.allSettled([...calls, ...refused, client.emit('tick', { i })])
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  beforeAll(async () => {
    browser = await launch()
    bus = await createBus({ core: fixture('core.mjs'), log: false, ...app, supervision: soon })
    client = await bus.connect('tests')
    url = (await bus.openInspector()).url
    void work()
  }, 60_000)
  afterAll(async () => {
    isBusy = false
    await bus.close({ timeout: 0 })
    await browser.close()
  })

  test.each(SCREENS)(
    'is legible, fits the screen and requests nothing from other sites: $width px, $scheme',
    async screen => {
      const { page, complaints } = await openPage(browser, url, screen)
      await expect.poll(() => getText(page, '#line')).toMatch(/^The bus is running\. .* attention:$/)
      await expect
        .poll(() => getText(page, '#culprits'))
        .toMatch(/^tests (?=.*denied [\d,]+× \(count\)).*rejected by the hook [\d,]+× \(.*\): the hook returned null/m)
      await expect.poll(() => getText(page, '#refused')).toContain(HOSTILE)
      expect(await getText(page, '#refused')).toContain('add "allow-count" to the permissions of a capability')
      expect(await getText(page, '#refused')).toContain('the hook returned null')
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(screen.width)
      const hidden = `[...document.querySelectorAll('.scroll')].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length`
      if (screen.width >= 1280) expect(await page.evaluate(hidden)).toBe(0)
      expect(await page.evaluate(FAINT_TEXTS)).toEqual([])
      await page.evaluate(axe.source)
      expect(
        await page.evaluate(`axe.run().then(({ violations }) =>
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`),
      ).toEqual([])
      expect(await page.evaluate('document.images.length')).toBe(0)
      const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      expect(background).toBe(screen.scheme === 'light' ? 'rgb(253, 253, 251)' : 'rgb(20, 23, 26)')
      expect(complaints).toEqual([])
      await page.close()
    },
  )

  test('updates the figures of bus.stats, except while paused', async () => {
    const { page, complaints } = await openPage(browser, url)
    const calls = (): Promise<number> => getCell(page, 'tests', 'Calls').then(text => Number(text.replaceAll(',', '')))
    const first = await calls()
    await expect.poll(calls).toBeGreaterThan(first)
    await expect.poll(() => getCell(page, 'tests', 'Calls/s').then(Number.parseFloat)).toBeGreaterThan(0)
    await expect.poll(() => getCell(page, 'tests', 'p50')).toMatch(/^[\d.]+ (µs|ms)$/)
    await page.getByRole('button', { name: 'Pause' }).press('Enter')
    await expect.poll(() => getText(page, '#line')).toMatch(/^Paused\. Shown as of \d\d:\d\d:\d\d\./)
    const paused = await calls()
    await client.invoke('echo', { a: 1, b: 2 })
    await new Promise(resolve => setTimeout(resolve, 600))
    expect(await calls()).toBe(paused)
    await page.getByRole('button', { name: 'Resume' }).press('Enter')
    isBusy = false
    await client.invoke('echo', { a: 1, b: 2 })
    const shown = async (): Promise<string[]> => {
      const columns = ['Calls', 'Failures', 'Denied', 'Rejected', 'Late', 'Dropped', 'In flight', 'Restarts']
      return Promise.all(columns.map(column => getCell(page, 'tests', column)))
    }
    const counted = async (): Promise<string[]> => {
      const {
        calls: total,
        failures,
        denied,
        rejected,
        late,
        events,
        inFlight,
        restarts,
      } = (await bus.stats()).frontends['tests']!
      return [total, failures, denied, rejected, late, events.dropped, inFlight, restarts].map(value =>
        value.toLocaleString('en'),
      )
    }
    await expect.poll(async () => JSON.stringify([await shown()]) === JSON.stringify([await counted()])).toBe(true)
    expect(Number((await shown())[3])).toBeGreaterThan(0)
    expect(complaints).toEqual([])
    isBusy = true
    void work()
    await page.close()
  })

  test('shows a restart of core', async () => {
    const { page } = await openPage(browser, url)
    await expect.poll(() => getCell(page, 'tests', 'State')).toBe('running')
    await client.invoke('end').catch(() => {})
    await expect.poll(() => getText(page, '#facts')).toContain('core has restarted once')
    await expect.poll(() => getText(page, '#troubled')).toMatch(/core\s+restart/)
    await expect.poll(() => getText(page, '#line')).toMatch(/^The bus is running\. \d need attention:$/)
    // On a busy machine core can be without time for a second, which counts as blocked.
    await expect.poll(() => getText(page, '#culprits')).toMatch(/^core (?:was blocked.*; )?restarted: /m)
    await page.close()
  })

  test('shows calls by command, and sorts a table by any column', async () => {
    const { page } = await openPage(browser, url)
    const rows = (): Promise<string[]> => page.locator('#calls tbody tr').allInnerTexts()
    const waiting = client.invoke('wait', {}).catch(() => {})
    await expect
      .poll(async () => (await rows()).join('\n'))
      .toMatch(/echo\s+[\d,]+\s+tests [\d,]+\s+0\s+[\d.]+ (µs|ms)/)
    await expect
      .poll(async () => (await rows()).join('\n'))
      .toMatch(/count\s+[\d,]+\s+tests [\d,]+\s+[\d,]+\s+Denied [\d,]+/)
    await expect.poll(async () => (await rows()).join('\n')).toMatch(/wait\s+1\s+tests 1\s+0\s+–\s+1\s+\d+ s\s+tests/)
    const sort = page.locator('#calls').getByRole('button', { name: 'Command' })
    const names = async (): Promise<string[]> => (await rows()).map(row => row.split('\t')[0]!)
    await sort.click()
    const ascending = (await names()).toSorted((a, b) => a.localeCompare(b))
    await expect.poll(names).toEqual(ascending)
    expect(await page.locator('#calls th[aria-sort=ascending]').innerText()).toBe('Command')
    await sort.press('Enter')
    await expect.poll(names).toEqual(ascending.toReversed())
    await sort.click()
    expect(await page.locator('#calls th[aria-sort]').count()).toBe(0)
    const left = `(document.querySelector('#calls').parentElement.scrollLeft = 300, document.querySelector('#calls tbody th').getBoundingClientRect().left >= 0)`
    await page.setViewportSize({ width: 390, height: 900 })
    expect(await page.evaluate(left)).toBe(true)
    await client.invoke('end').catch(() => {})
    await waiting
    await page.close()
  })

  test('shows one frontend alone after a click on its label', async () => {
    const other = await bus.connect('other')
    onTestFinished(() => {
      isBusy = true
      void work()
      return other.close()
    })
    const { page } = await openPage(browser, url)
    await expect.poll(() => getCell(page, 'other', 'State')).toBe('running')
    // Only the first calls between two reports of core are recorded: the next one comes after such a report.
    isBusy = false
    const counted = async (): Promise<string> => (await bus.stats()).frontends['tests']!.calls.toLocaleString('en')
    await expect.poll(async () => (await getCell(page, 'tests', 'Calls')) === (await counted())).toBe(true)
    await other.invoke('echo', { a: 1, b: 2 })
    const latest = (): Promise<string[]> => page.locator('#latest tbody th').allInnerTexts()
    await expect.poll(latest).toContain('tests')
    await page.locator('#traffic').getByRole('button', { name: 'other' }).press('Enter')
    await expect.poll(() => getText(page, '#filter')).toMatch(/^Only other is shown\.\s+Show all$/)
    await expect.poll(latest).toEqual(['other'])
    expect(await page.locator('#traffic tbody th').allInnerTexts()).toEqual(['other'])
    await expect
      .poll(() => page.locator('#calls tbody tr').allInnerTexts())
      .toEqual([expect.stringMatching(/^echo\s+1\s+other 1\s+0/)])
    await expect.poll(() => getText(page, '#refused')).toContain('None.')
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect.poll(latest).toContain('tests')
    await page.close()
  })

  test('keeps its rates while frontends come and go', async () => {
    const { page } = await openPage(browser, url)
    const calls = (): Promise<string> => page.locator('#tiles .figure').first().innerText()
    await expect.poll(calls).toMatch(/\d/)
    const seen = new Set<string>()
    // Each snapshot shows another rate.
    for (let i = 0; seen.size < 3; i++) {
      const other = await bus.connect(`other-${i}`)
      await other.invoke('echo', {}).catch(() => {})
      await other.close()
      seen.add(await calls())
    }
    expect([...seen]).not.toContain('–')
    await page.close()
  })

  test('shows the age of figures that are late', async () => {
    const { page } = await openPage(browser, 'about:blank')
    await page.clock.install()
    await page.goto(url)
    await expect.poll(() => getText(page, '#line')).toContain('The bus is running.')
    await expect.poll(() => getText(page, '#age')).toBe('')
    await page.evaluate(`(() => {
      window.ages = []
      new MutationObserver(() => window.ages.push(document.querySelector('#age').textContent))
        .observe(document.querySelector('#age'), { childList: true })
    })()`)
    await page.clock.fastForward(4000)
    await expect.poll(() => page.evaluate('window.ages.join()')).toMatch(/\(as of [4-9] s ago\)/)
    await expect.poll(() => getText(page, '#age')).toBe('')
    await page.close()
  })

  test('shows the access of each frontend, and finds commands and labels', async () => {
    const { page } = await openPage(browser, url)
    await expect.poll(() => getText(page, '#capabilities')).toBe('Choose a frontend to see what it may call.')
    await page.locator('#traffic').getByRole('button', { name: 'tests' }).click()
    await expect.poll(() => getText(page, '#capabilities')).toMatch(/^Capabilities of tests: all \(/)
    const rows = (): Promise<string[]> => page.locator('#access tbody tr').allInnerTexts()
    await page.getByLabel('Find a command').fill('echo')
    await expect.poll(rows).toEqual([expect.stringMatching(/^echo\s+✓ allowed\s+all: allow-echo/)])
    await bus.addCapability({ identifier: 'less', windows: ['tests'], permissions: ['deny-echo'] })
    await page.getByRole('button', { name: 'Refresh' }).click()
    await expect.poll(rows).toEqual([expect.stringMatching(/^echo\s+✕ denied\s+less: deny-echo/)])
    await bus.removeCapability('less')
    const blocked = client.invoke('block', { ms: 3000 })
    await page.getByRole('button', { name: 'Refresh' }).click()
    await expect
      .poll(() => getText(page, '#capabilities'))
      .toMatch(/^It is not known what tests may call: Core did not/)
    expect(await getText(page, '#access')).not.toContain('None.')
    await blocked
    await page.getByLabel('Find a label').fill('missing')
    await expect.poll(() => getText(page, '#found')).toBe('0 of 1 have this in their labels')
    await page.getByLabel('Find a label').fill('tes')
    await expect.poll(() => getCell(page, 'tests', 'State')).toBe('running')
    await page.close()
  })

  test('is usable by keyboard and screen reader', async () => {
    const { page } = await openPage(browser, url, { width: 390, scheme: 'light' })
    await expect.poll(() => getCell(page, 'tests', 'State')).toBe('running')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the figures')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    const reached: string[] = []
    for (let i = 0; i < 150; i++) {
      await page.keyboard.press('Tab')
      const at: string = await page.evaluate(`(() => {
        const { id, firstElementChild, labels } = document.activeElement
        const ring = parseFloat(getComputedStyle(document.activeElement).outlineWidth)
        return ring < 2 ? 'unseen ' + id : id || firstElementChild?.id || ''
      })()`)
      reached.push(at)
    }
    const order = ['find', 'traffic', 'calls', 'latest', 'refused', 'troubled', 'which', 'refresh', 'access']
    expect(reached.filter(id => order.includes(id)).slice(0, order.length)).toEqual(order)
    expect(reached.filter(id => id.startsWith('unseen'))).toEqual([])
    await expect.poll(() => getText(page, '#line')).toContain('The bus is running.')
    await expect.poll(() => getCell(page, 'tests', 'State')).toBe('running')
    const tree = await page.locator('body').ariaSnapshot()
    for (const region of ['Frontends', 'Commands', 'Denied and rejected', 'Faults and restarts', 'Access']) {
      expect(tree).toContain(`region "Table: ${region}"`)
    }
    expect(tree).toMatch(/status: "?The bus is running\./)
    expect(tree).toContain('rowheader "tests"')
    expect(tree).not.toMatch(/- (button|combobox|searchbox|radio)(?! ")/)
    await page.close()
  })

  test('reconnects after a lost connection, and keeps what needed attention when the bus has closed', async () => {
    const { page } = await openPage(browser, 'about:blank')
    await page.route('**/feed*', route => route.abort())
    await page.goto(url)
    await expect.poll(() => getText(page, '#line')).toBe('No connection to the bus: reconnecting.')
    await page.unroute('**/feed*')
    await expect.poll(() => getText(page, '#line')).toContain('The bus is running.')
    isBusy = false
    await bus.close()
    const text = /^The bus was closed\. Shown as of \S+ (?:When it closed, \d needed attention:)$/
    await expect.poll(() => getText(page, '#line')).toMatch(text)
    expect(await getText(page, '#culprits')).toMatch(/^(tests|core) /)
    const requests: string[] = []
    page.on('request', request => requests.push(request.url()))
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(requests).toEqual([])
    await page.close()
  })
})
