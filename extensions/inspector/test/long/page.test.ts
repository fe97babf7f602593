// The page in a browser: test/matrix/page.test.ts has all that it shows.
import { createBus } from '@sallyport/core'
import { expect, onTestFinished, test } from 'vitest'
import { fixture, isolation } from '../support/start.js'
import { hasChromium, launch, openPage } from '../support/browser.js'

test.skipIf(!hasChromium)('the page shows a call that core denied, and how to allow it', async () => {
  const app = isolation({ identifier: 'all', windows: ['*'], permissions: ['allow-echo'] })
  const bus = await createBus({ core: fixture('core.mjs'), log: false, ...app })
  onTestFinished(() => bus.close({ timeout: 0 }))
  const browser = await launch()
  onTestFinished(() => browser.close())
  const client = await bus.connect('tests')
  const { page, complaints } = await openPage(browser, (await bus.openInspector()).url)
  await expect(client.invoke('count')).rejects.toMatchObject({ reason: 'Denied' })
  const hint = 'add "allow-count" to the permissions of a capability'
  await expect.poll(() => page.locator('#refused').innerText()).toContain(hint)
  expect(await page.locator('#line').innerText()).toMatch(/^The bus is running\./)
  expect(complaints).toEqual([])
})
