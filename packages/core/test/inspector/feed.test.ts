// What a page is told of a live bus: the same as `bus.stats` gives, whatever becomes of the bus meanwhile.
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { defineCore, type Bus, type BusOptions, type FrontendStats } from '../../src/index.js'
import { fixture, isolation, start } from '../start.js'
import { at, supervise } from '../supervised.js'
import { ask, listenTo, type Listener } from './ask.js'

async function open(options: Partial<BusOptions> = {}): Promise<{ bus: Bus; url: string; page: Listener }> {
  const bus = await start(options)
  const { url } = await bus.inspectServer()
  return { bus, url, page: await listenTo(url) }
}

const some = { identifier: 'some', windows: ['*'], permissions: ['allow-add', 'deny-echo'] }

test('figures are those of bus.stats, whose own rates go on as if nobody looked', async () => {
  const { bus, page } = await open({ app: isolation('judge', {}, some) })
  await page.next(({ core }) => core.answers)
  await bus.stats()
  const client = await bus.connect('tests')
  for (let i = 0; i < 50; i++) await client.invoke('add', { a: i, b: 1 })
  await expect(client.invoke('echo')).rejects.toMatchObject({ reason: 'Denied' })
  await client.emit('hello')
  const seen = await page.next(({ frontends }) => frontends[0]?.denied === 1 && frontends[0].events.in === 1)
  const { frontends, core, host } = await bus.stats()
  const { perSecond, latency, ...stats } = frontends['tests'] as FrontendStats
  expect(perSecond.calls).toBeGreaterThan(0)
  const { p90: _p90, max: _max, ...shown } = latency
  const { hook, seal: _seal, ...own } = stats.gate!
  const gate = { ...own, life: 'ready', hook: { count: hook.count, p50: hook.p50, p99: hook.p99 } }
  expect(seen.frontends).toEqual([{ ...stats, gate, latency: shown, label: 'tests', isWorker: false }])
  expect(seen.core).toEqual({ ...core, life: 'ready', answers: true })
  expect(seen.sums).toMatchObject({ calls: stats.calls + host.calls, denied: 1, failures: stats.failures })
  expect(seen).toMatchObject({ bus: 'running', open: 1, found: 1, states: { running: 2 } })
})

test('core’s restart and silence are seen, and the page goes on', async () => {
  const { bus } = await supervise({ frontends: { main: at('setTimeout(() => {}, 1e6)') } })
  const { url } = await bus.inspectServer()
  const page = await listenTo(url)
  const client = await bus.connect('tests')
  const running = await page.next(({ frontends: [main] }) => main?.state === 'running')
  expect(running.frontends[0]).toMatchObject({ label: 'main', state: 'running', isWorker: true })
  const blocked = client.invoke('block', { ms: 1500 }).catch(() => {})
  expect((await page.next(({ core }) => !core.answers)).core).toMatchObject({ state: 'running', answers: false })
  await blocked
  await client.invoke('end', { how: 'throw' }).catch(() => {})
  const again = await page.next(({ core }) => core.restarts === 1 && core.life === 'ready')
  expect(again).toMatchObject({ bus: 'running', core: { state: 'running' } })
  const { news } = page.told
    .map(({ data }) => data as typeof again)
    .findLast(({ news: given }) => given?.troubles.some(({ kind }) => kind === 'restart'))!
  expect(news!.troubles.map(({ kind, label }) => [kind, label])).toEqual([
    ['restart', 'core'],
    ['fault', 'core'],
  ])
})

test('names and errors of frontends are text without tricks, and a flood of them takes no more room', async () => {
  const { bus, url, page } = await open({ app: isolation('judge', {}, some), supervision: { restart: 'temporary' } })
  const client = await bus.connect('tests')
  const names = ['<img src=x onerror=alert(1)>', 'a\u202eb\u0007\u200b\n', 'x'.repeat(100_000), '\ud800']
  for (const name of names) await client.invoke(name, { hook: 'null' }).catch(() => {})
  const seen = await page.next(({ news }) => news?.refusals.length === names.length)
  expect(seen.news!.refusals.map(({ what }) => what).toReversed()).toEqual([
    names[0],
    String.raw`a\u{202e}b\u{7}\u{200b}\u{a}`,
    expect.stringMatching(/^x{200}$/),
    String.raw`\u{d800}`,
  ])
  await Promise.all(Array.from({ length: 2000 }, (_, i) => client.invoke(`n${i}`, { hook: 'null' }).catch(() => {})))
  const full = await page.next(({ frontends }) => frontends[0]?.rejected === 2000 + names.length)
  const { news } = full.news ? full : await page.next(({ news: given }) => given !== undefined)
  expect(news!.refusals.length).toBe(100)
  const fault = String.raw`throw new Error('\u202e<b>' + 'y'.repeat(1e6))`
  await bus.open('bad', at(fault))
  const { news: worse } = await page.next(
    ({ news: given }) => given?.troubles.some(({ kind }) => kind === 'failed') === true,
  )
  expect(worse!.troubles[0]!.why.startsWith(String.raw`\u{202e}<b>yyy`)).toBe(true)
  expect(worse!.troubles[0]!.why.length).toBeLessThan(400)
  expect((await ask(url, { path: 'access' })).text.length).toBeLessThan(20_000)
})

test('a core in the host’s own thread is seen like any other', async () => {
  const { bus, page } = await open({ core: defineCore({ commands: { add: ({ a }: { a: number }) => a + 1 } }) })
  const client = await bus.connect('tests')
  await client.invoke('add', { a: 1 })
  const seen = await page.next(({ frontends }) => frontends[0]?.calls === 1)
  expect(seen.core).toMatchObject({ state: 'running', life: 'ready', answers: true })
})

test('who may call what, as it is now', async () => {
  const { bus, url } = await open({ app: { security: { capabilities: [some] } } })
  await bus.connect('tests')
  const accessTo = async (label: string, command: string): Promise<unknown> => {
    const query = `access${new URL(url).search}&label=${label}`
    const { commands } = JSON.parse((await ask(url, { path: query })).text)
    return commands.find((each: { command: string }) => each.command === command)
  }
  expect(await accessTo('tests', 'add')).toEqual({
    command: 'add',
    access: 'allowed',
    by: 'some: allow-add',
    scope: '',
  })
  expect(await accessTo('tests', 'echo')).toMatchObject({ access: 'denied', by: 'some: deny-echo' })
  expect(await accessTo('tests', 'greet')).toMatchObject({ access: 'closed', by: '' })
  await bus.addCapability({ identifier: 'more', windows: ['tests'], permissions: ['allow-greet'] })
  expect(await accessTo('tests', 'greet')).toMatchObject({ access: 'allowed', by: 'more: allow-greet' })
  expect(await accessTo('others', 'greet')).toMatchObject({ access: 'closed' })
})

test('labels are looked for, and a page that sees others is told of them alone', async () => {
  const { bus, url } = await open()
  for (const label of ['one', 'two', 'three']) await bus.connect(label)
  const page = await listenTo(url, '&find=T')
  const { frontends, found, open: all } = await page.next()
  expect([frontends.map(({ label }) => label), found, all]).toEqual([['two', 'three'], 2, 3])
})

test('the bus says that it closes, and waits for nobody who looks', async () => {
  const { bus, url, page } = await open({ core: fixture('core.mjs') })
  const { port, search } = new URL(url)
  const stalled = connect(Number(port), '127.0.0.1')
  stalled.on('error', () => {}).pause()
  stalled.write(`GET /feed${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  await page.next()
  await bus.close()
  await page.ended
  expect(page.told.at(-1)).toEqual({ event: 'end', data: { why: 'The bus was closed.' } })
  await expect(ask(url)).rejects.toThrow()
})
