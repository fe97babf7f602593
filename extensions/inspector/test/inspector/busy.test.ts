// The feed of a busy bus accuses who is guilty, and nobody else.
import type { BusOptions } from '@sallyport/core'
import { expect, test } from 'vitest'
import type { Snapshot } from '../../src/contract/views.js'
import { listenTo } from '../support/ask.js'
import { at, fixture, longestScript, patient, start } from '../support/start.js'

const IDLE = at('void 0')
const LOOP = 'for (;;);'

async function open(options: Partial<BusOptions> = {}) {
  const bus = await start({ core: fixture('plugins/core.mjs'), ...options })
  const { url } = await bus.openInspector()
  const page = await listenTo(url)
  // Core counts from then on.
  await page.next(({ commands }) => commands !== undefined)
  const next = (label: string, text: RegExp): Promise<Snapshot> =>
    page.next(({ culprits }) => culprits.some(each => each.label === label && text.test(each.text)))
  return { bus, page, next }
}

test('names the run that computes, and not the script that waits for it in the same script host', async () => {
  const { bus, page, next } = await open({ supervision: patient })
  await bus.open('innocent', IDLE, { sandbox: 'quickjs' })
  let isSeen = false
  const loop = async (): Promise<void> => {
    while (!isSeen) await bus.run(LOOP, { sandbox: longestScript, timeout: false, label: 'loop' }).catch(() => {})
  }
  const looping = loop()
  const seen = await next('loop', /^has computed for \d+(?:\.\d)? s; innocent waits for it \(same script host\)/)
  isSeen = true
  expect(seen.frontends.find(({ label }) => label === 'innocent')).toMatchObject({ waitsFor: 'loop' })
  await looping
  await next('loop', /^computed for \d+(?:\.\d)? s while innocent waited \(same script host\)/)
  const culprits = page.received.flatMap(({ data }) => (data as Snapshot).culprits)
  expect(culprits.filter(({ label, isBad }) => label === 'innocent' && isBad)).toEqual([])
})

test('says why a run has failed in the words of its caller', async () => {
  const { bus, page, next } = await open()
  const sandbox = { kind: 'quickjs', time: 1 } as const
  for (const options of [{ timeout: 1 }, { sandbox, timeout: false as const }])
    await bus.run(LOOP, options).catch((reason: Error) => reason)
  await next('run-1', /^failed 1× \(bus\.run: Timeout\)$/)
  const { commands, lastMinute } = await next('run-2', /failed 1× \(bus\.run: Crashed\)$/)
  expect(lastMinute.failed).toBe(2)
  expect(commands!.find(({ command }) => command === 'bus.call run-2 bus.run')!.failures).toEqual({ Crashed: 1 })
  const isExplained = ({ data }: { data: unknown }): boolean =>
    (data as Snapshot).calls?.some(
      ({ command, outcome }) => `${command}: ${outcome}` === 'bus.call run-2 bus.run: Crashed',
    ) === true
  await expect.poll(() => page.received.some(isExplained)).toBe(true)
})

test('names a flood, whose calls are one row, and shows those of others', async () => {
  const { bus, page, next } = await open()
  const source = `
    import { invoke } from '@sallyport/frontend'
    for (;;) await Promise.all(Array.from({ length: 32 }, () => invoke('read_note', { name: 'today' })))
  `
  const editor = await bus.connect('editor')
  await editor.invoke('save_note', { name: 'today', text: '' })
  await bus.open('flood', { source }, { allow: ['read_note'], loaded: false })
  await next('flood', /^made \d+ % of all calls/)
  const { calls } = await page.next(snapshot => snapshot.calls?.some(({ count }) => (count ?? 0) > 1000) === true)
  expect(calls!.filter(({ label, outcome }) => label === 'flood' && outcome === 'ok').length).toBe(1)
  const { url } = await bus.openInspector()
  const own = await listenTo(url, '&of=editor')
  await editor.invoke('save_note', { name: 'today', text: '' })
  await own.next(snapshot => snapshot.calls?.some(({ command }) => command === 'save_note') === true)
})
