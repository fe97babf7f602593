// The feed of a live bus: callers, frontends that have ended or do not respond, and one frontend alone.
import { defineCore, type BusOptions } from '@sallyport/core'
import { expect, test } from 'vitest'
import { at, fixture, start } from '../support/start.js'
import type { Snapshot } from '../../src/contract/views.js'
import { ask, listenTo } from '../support/ask.js'
import { choose } from '../../../../scripts/testing.js'

async function open(options: Partial<BusOptions> = {}, query = '') {
  const bus = await start(options)
  const { url } = await bus.openInspector()
  const page = await listenTo(url, query)
  // Core counts from then on.
  await page.next(({ commands }) => commands !== undefined)
  return { bus, url, page }
}

test('names the callers of each command, and the latest calls', async () => {
  const { bus, page } = await open()
  const [editor, importer] = [await bus.connect('editor'), await bus.connect('importer')]
  await editor.invoke('add', { a: 1, b: 1 })
  for (let i = 0; i < 3; i++) await importer.invoke('add', { a: i, b: 1 })
  await importer.invoke('fails').catch(() => {})
  const seen = await page.next(snapshot => snapshot.calls?.[0]?.outcome === 'CommandFailed')
  const add = seen.commands!.find(({ command }) => command === 'add')!
  expect(add.callers).toEqual([
    { label: 'importer', calls: 3, failures: {}, inFlight: 0 },
    { label: 'editor', calls: 1, failures: {}, inFlight: 0 },
  ])
  const calls = seen.calls!.map(({ label, command, outcome }) => `${label} ${command}: ${outcome}`)
  expect(calls.slice(0, 5)).toEqual([
    'importer fails: CommandFailed',
    ...Array.from({ length: 3 }, () => 'importer add: ok'),
    'editor add: ok',
  ])
  expect(seen.culprits).toEqual([{ label: 'importer', text: 'failed 1× (fails: CommandFailed)', isBad: false }])
})

test('shows a call while it runs, and its duration afterwards', async () => {
  const { bus, page } = await open()
  const client = await bus.connect('tests')
  const waiting = client.invoke('slow', { ms: 1500 })
  const find = ({ calls }: Snapshot) => calls?.find(({ command }) => command === 'slow')
  expect(find(await page.next(snapshot => find(snapshot) !== undefined))).not.toHaveProperty('outcome')
  await waiting
  const ended = find(await page.next(snapshot => find(snapshot)?.outcome !== undefined))
  expect(ended).toMatchObject({ label: 'tests', outcome: 'ok', ms: expect.any(Number), answerSize: 0 })
  await client.invoke('echo', { text: 'x'.repeat(3000) })
  const echo = ({ calls }: Snapshot) => calls?.find(call => call.command === 'echo' && call.outcome === 'ok')
  expect(echo(await page.next(snapshot => echo(snapshot) !== undefined))!.answerSize).toBeGreaterThan(2999)
})

test('names calls of the host by frontend and function', async () => {
  const { bus, page } = await open()
  await bus.open('main', fixture('ends.mjs'), { sandbox: 'none' })
  await bus.call('main', 'missing').catch(() => {})
  const find = ({ calls }: Snapshot) => calls?.find(({ command }) => command === 'bus.call main missing')
  const seen = find(await page.next(snapshot => find(snapshot)?.outcome !== undefined))
  expect(seen).toMatchObject({ label: 'host', outcome: 'MethodNotFound' })
})

test('counts none of its own traffic', async () => {
  const { url, page } = await open()
  for (let i = 0; i < 3; i++) await ask(url, { path: `access${new URL(url).search}&label=tests` })
  const { commands, totals, queued, host } = await page.next()
  expect({ commands, queued, host }).toEqual({ commands: [], queued: 0, host: undefined })
  expect(totals).toMatchObject({ calls: 0, bytes: 0 })
})

test('sends the figures, calls and events of one frontend alone', async () => {
  const { bus, page } = await open({}, '&of=editor')
  const [editor, importer] = [await bus.connect('editor'), await bus.connect('importer', { allow: [] })]
  await importer.invoke('add').catch(() => {})
  await editor.invoke('add', { a: 1, b: 1 })
  const seen = await page.next(
    ({ totals, commands, culprits }) => totals.calls === 1 && commands?.length === 1 && culprits.length > 0,
  )
  expect(seen).toMatchObject({ selected: 'editor', totals: { calls: 1, denied: 0 } })
  expect(seen.commands!.map(({ command, calls, callers }) => [command, calls, callers.length])).toEqual([['add', 1, 1]])
  const events = page.received.map(({ data }) => data as Snapshot)
  expect(events.flatMap(({ calls = [] }) => calls.map(({ label }) => label))).not.toContain('importer')
  expect(events.flatMap(({ recent }) => recent?.refusals ?? [])).toEqual([])
  expect(seen.culprits.map(({ label }) => label)).toEqual(['importer'])
})

test('keeps a frontend that has failed with its error, and for a while if the host closes it', async () => {
  const { bus, page } = await open()
  const supervision = { restart: 'temporary' } as const
  await bus.open('dead', fixture('ends.mjs'), { supervision })
  await bus.call('dead', 'ends').catch(() => {})
  const failed = await page.next(({ frontends: [dead] }) => dead?.state === 'failed')
  const place = expect.stringMatching(/ends\.mjs:7:13$/)
  expect(failed.frontends[0]).toMatchObject({ label: 'dead', error: 'uncaught', where: place, sandbox: 'permission' })
  expect([failed.open, failed.ended]).toEqual([0, 1])
  const text = expect.stringMatching(/^failed and will not restart: uncaught \(.*ends\.mjs:7:13\)$/)
  expect(failed.culprits).toMatchObject([{ label: 'dead', text, isBad: true }])
  await bus.closeFrontend('dead')
  const closed = await page.next(({ frontends }) => frontends.length === 0)
  expect(closed.culprits[0]!.text).toMatch(/^failed: uncaught/)
})

test('names a frontend that restarts again and again', async () => {
  const delay = { min: 60_000, max: 60_000 }
  const { bus, page } = await open({ supervision: { delay: { min: 1, max: 1 }, intensity: 1000 } })
  await bus.open('crashy', at(`setTimeout(() => { throw new Error('boom') }, 1)`), { loaded: false, sandbox: 'none' })
  // The fault that ended it and its restart are one event.
  const { recent } = await page.next(snapshot => (snapshot.recent?.troubles[0]?.count ?? 0) > 1)
  expect(recent!.troubles).toMatchObject([{ kind: 'restart', label: 'crashy', why: 'boom' }])
  const isLoop = ({ culprits: [first] }: Snapshot): boolean => first?.text.startsWith('is crash-looping') === true
  expect((await page.next(isLoop)).culprits[0]).toMatchObject({
    label: 'crashy',
    text: expect.stringMatching(/^is crash-looping, restarted [\d,]+× in a minute: boom/),
  })
  const source = at(`setTimeout(() => { throw new Error('boom') }, 1)`)
  await bus.open('slow', source, { loaded: false, sandbox: 'none', supervision: { delay } })
  const find = ({ frontends }: Snapshot) => frontends.find(({ label }) => label === 'slow')
  const waiting = find(await page.next(snapshot => find(snapshot)?.restartsIn !== undefined))!
  expect(waiting).toMatchObject({ state: 'backingOff', error: 'boom' })
  expect(waiting.restartsIn).toBeLessThanOrEqual(90_000)
})

test.each(choose(['permission', 'process'] as const))('names a frontend that blocks its thread: %s', async sandbox => {
  const { bus, page } = await open()
  await bus.open('spinner', fixture('plugins/spinner.mjs'), { sandbox, supervision: { heartbeat: 60_000 } })
  const spinning = bus.call('spinner', 'spin', {}, { timeout: false }).catch(() => {})
  const seen = await page.next(({ frontends }) => frontends[0]?.blockedMs !== undefined)
  expect(seen.culprits[0]).toMatchObject({
    label: 'spinner',
    text: expect.stringMatching(/^has not responded for \d\.\d s: it blocks its thread/),
  })
  await bus.closeFrontend('spinner')
  await spinning
  // A busy machine can delay an earlier heartbeat, too.
  await page.next(
    ({ recent }) =>
      recent?.troubles.some(({ label, why }) => label === 'spinner' && why.endsWith('until it ended')) === true,
  )
})

test('has recorded a block of core, and whose call it was, when the first page is opened', async () => {
  const bus = await start({ core: fixture('plugins/core.mjs') })
  const { url } = await bus.openInspector()
  const client = await bus.connect('tests')
  await client.invoke('render_pdf', { ms: 3000 })
  const page = await listenTo(url)
  const isBlock = ({ recent }: Snapshot): boolean => recent?.troubles.some(({ kind }) => kind === 'blocked') === true
  const { recent, culprits } = await page.next(isBlock)
  expect(recent!.troubles).toMatchObject([{ kind: 'blocked', label: 'tests', what: 'render_pdf' }])
  expect(culprits[0]).toMatchObject({ label: 'tests', isBad: true })
})

test('names a frontend whose calls are refused, and by which limit', async () => {
  const { bus, page } = await open({ calls: { quotas: [{ commands: ['add'], rate: 1 / 60 }] } })
  const floods = await bus.connect('floods', { maxInFlight: 16, overflow: 'reject' })
  await Promise.allSettled(Array.from({ length: 100 }, (_, i) => floods.invoke('echo', { i })))
  const greedy = await bus.connect('greedy')
  await Promise.allSettled(Array.from({ length: 5 }, (_, i) => greedy.invoke('add', { a: i, b: 1 })))
  const { culprits, lastMinute, totals } = await page.next(snapshot => snapshot.lastMinute.refused === 88)
  expect(culprits.toSorted((a, b) => a.label.localeCompare(b.label))).toMatchObject([
    { label: 'floods', text: 'had 84 calls rejected (Overloaded, maxInFlight)' },
    { label: 'greedy', text: 'had 4 calls rejected (Overloaded, add)', isBad: true },
  ])
  expect([totals.unsent, totals.overloaded, lastMinute.failed]).toEqual([84, 4, 0])
})

test('counts the last minute alike in the line of a frontend and in the figures, for a page opened later too', async () => {
  const { bus, url, page } = await open()
  const client = await bus.connect('tests', { allow: [] })
  for (let i = 0; i < 20; i++) await client.invoke('add').catch(() => {})
  await page.next(({ lastMinute }) => lastMinute.denied === 20)
  for (const query of ['', '&of=tests']) {
    const { culprits, lastMinute, totals } = await (await listenTo(url, query)).next()
    expect(culprits[0]!.text).toBe('denied 20× (add)')
    expect([lastMinute.denied, totals.denied, lastMinute.failed]).toEqual([20, 20, 0])
  }
})

test('leaves a mark when a core in the thread of the host blocks both', async () => {
  const block = ({ ms }: { ms: number }): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  const { bus, page } = await open({ core: defineCore({ commands: { block } }) })
  const client = await bus.connect('tests')
  await client.invoke('block', { ms: 1500 })
  const isBlock = ({ recent }: Snapshot): boolean => recent?.troubles.some(({ kind }) => kind === 'blocked') === true
  const { recent } = await page.next(isBlock)
  expect(recent!.troubles).toMatchObject([{ kind: 'blocked', label: 'tests', what: 'block' }])
})

test('does not show calls as running that ended with core', async () => {
  const { bus, page } = await open()
  const client = await bus.connect('tests')
  const waiting = client.invoke('wait', {}).catch(() => {})
  const find = ({ calls }: Snapshot) => calls?.find(({ command }) => command === 'wait')
  await page.next(snapshot => find(snapshot) !== undefined)
  await client.invoke('end').catch(() => {})
  await waiting
  const lost = await page.next(snapshot => find(snapshot)?.outcome !== undefined)
  expect(find(lost)).toMatchObject({ outcome: 'Disconnected' })
})
