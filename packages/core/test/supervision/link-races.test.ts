// Messages about a link that arrive when the frontend has another link already, or none.
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { type ExternalFrontend, openExternalFrontend } from '../../src/internal.js'
import { fixture, patterns, start } from '../support/start.js'

/** Joins as code outside of this process does. Resolves with the code's end of the link once it is connected. */
async function join(frontend: ExternalFrontend): Promise<Link> {
  const [link, end] = createLinkEndpoints('local')
  await new Promise<void>(connected => frontend.join({ link: openLink(link, false), connected }))
  return openLink(end, true)
}

test.each(patterns)('a frontend that has not started has no end: %s', async (_name, app) => {
  const bus = await start(app)
  const received: unknown[] = []
  for (const name of ['window-created', 'destroyed']) {
    await bus.listen<{ label: string }>(`tauri://${name}`, ({ payload }) => {
      received.push(`${payload.label} ${name}`)
    })
  }
  const page = await openExternalFrontend(bus, 'a test', 'page', {})
  await page.close()
  const next = await openExternalFrontend(bus, 'a test', 'next', {})
  const link = await join(next)
  link.close()
  await expect.poll(() => received).toContain('next destroyed')
  expect(received).toEqual(['next window-created', 'next destroyed'])
})

test('a crash of core ends no frontend that awaits no event and no listener, and what it lost is counted', async () => {
  const core = fixture('permissions/confirming.mjs')
  const module = fixture('supervision/careless.mjs')
  const bus = await start({ core, frontends: { careless: { module, sandbox: 'none' } } })
  const ends: string[] = []
  for (const name of ['restart', 'failed', 'exited'] as const) {
    bus.on(name, ({ label }) => ends.push(label))
  }
  const client = await bus.connect('tests', { allow: '*' })
  for (const restarts of [1, 2]) {
    await bus.call('careless', 'start')
    await client.invoke('exit').catch(() => {})
    await expect.poll(async () => (await bus.stats()).core).toMatchObject({ state: 'running', restarts })
  }
  await expect.poll(async () => (await bus.stats()).frontends['careless']?.unsent).toBeGreaterThan(0)
  expect(ends).toEqual(['core', 'core'])
})
