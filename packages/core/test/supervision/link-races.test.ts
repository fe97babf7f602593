// Messages about a link that arrive when the frontend has another link already, or none.
import { LinkClient } from '@sallyport/frontend/internal'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { type ExternalFrontend, openExternalFrontend } from '../../src/internal.js'
import { fixture, isolation, patterns, start } from '../support/start.js'

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

test('code that joins is not disconnected for a violation of code that has left', async () => {
  let answer!: (isConfirmed: boolean) => void
  let ask!: () => void
  const asked = new Promise<void>(resolve => (ask = resolve))
  const onConfirm = (): Promise<boolean> => new Promise(resolve => ((answer = resolve), ask()))
  const bus = await start({ ...isolation('stuck'), onConfirm })
  const faults: unknown[] = []
  bus.on('fault', ({ label }) => faults.push(label))
  const page = await openExternalFrontend(bus, 'a test', 'page', {})
  const violator = await join(page)
  // The gate reads the invalid frame once the hook has returned from this call: it waits for the answer.
  const call = { jsonrpc: '2.0', id: 1, method: 'add', params: { a: 1, b: 1, hook: 'after-confirm' } }
  for (const body of [JSON.stringify(call), 'invalid']) violator.send({ kind: FRAME_KIND.json, body })
  await asked
  const client = new LinkClient(await join(page), { label: 'page', codec: 'json' })
  expect(faults).toEqual([])
  answer(true)
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  await expect.poll(() => faults).toEqual(['page'])
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
