// The feed of a live bus: it equals `bus.stats`, while core restarts, hangs and closes.
import { connect } from 'node:net'
import type { FrontendStats } from '@sallyport/core/internal'
import { defineCore, type Bus, type BusOptions, type Client } from '@sallyport/core'
import { Channel } from '@sallyport/frontend'
import { expect, test } from 'vitest'
import { at, fixture, isolation, soon, start } from '../support/start.js'
import type { CommandStats } from '../../src/contract/call-report.js'
import type { Snapshot } from '../../src/contract/views.js'
import { ask, listenTo, type Listener } from '../support/ask.js'

async function open(options: Partial<BusOptions> = {}): Promise<{ bus: Bus; url: string; page: Listener }> {
  const bus = await start(options)
  const { url } = await bus.openInspector()
  const page = await listenTo(url)
  // Core counts from then on.
  await page.next(({ commands }) => commands !== undefined)
  return { bus, url, page }
}

/** All commands of the tests but `greet`. */
const most = { identifier: 'most', windows: ['*'], permissions: ['allow-add', 'allow-slow', 'allow-fails'] }
const some = { identifier: 'some', windows: ['*'], permissions: ['allow-add', 'deny-echo'] }

test('says which program it is, without its path', async () => {
  const { page } = await open()
  const { program } = await page.next()
  expect(program).toEqual({
    ...{ name: expect.any(String), pid: process.pid, directory: 'inspector', node: process.versions.node },
  })
  expect(program.name).not.toMatch(/[/\\]/)
})

// Elsewhere limits cannot be measured.
test.runIf(process.platform === 'linux')('shows memory and CPU of a process as its limits measure them', async () => {
  const { bus, page } = await open()
  await bus.open('measured', at('for (let i = 0; i < 1e8; i++);'), { sandbox: { kind: 'process', memory: 1000 } })
  const seen = await page.next(({ frontends: [found] }) => (found?.usage?.cpu ?? 0) > 0)
  expect(seen.frontends[0]!.usage!.memory).toBeGreaterThan(2 ** 20)
})

test('sends the figures of bus.stats, without resetting its rates', async () => {
  const { bus, page } = await open(isolation(some))
  await page.next(({ core }) => core.answers)
  await bus.stats()
  const client = await bus.connect('tests')
  for (let i = 0; i < 50; i++) await client.invoke('add', { a: i, b: 1 })
  await expect(client.invoke('echo')).rejects.toMatchObject({ reason: 'Denied' })
  await client.emit('hello')
  const seen = await page.next(
    ({ core, frontends: [tests] }) =>
      core.answers && tests?.denied === 1 && tests.events.in === 1 && tests.queued === 0,
  )
  const { frontends, core, host } = await bus.stats()
  const { served: _, ...stats } = frontends['tests'] as FrontendStats
  expect(stats.perSecond.calls).toBeGreaterThan(0)
  expect(seen.frontends).toEqual([
    { ...stats, perSecond: expect.anything(), label: 'tests', sandbox: 'none', startedAt: expect.any(Number) },
  ])
  expect(seen.core).toEqual({ ...core, answers: true })
  expect(seen.totals).toMatchObject({ calls: stats.calls + host.calls, denied: 1, failures: stats.failures })
  expect(seen).toMatchObject({ bus: 'running', open: 1, found: 1 })
})

test('continues while core is blocked, and when it restarts', async () => {
  const bus = await start({ supervision: soon, frontends: { main: at('setTimeout(() => {}, 1e6)') } })
  const { url } = await bus.openInspector()
  const page = await listenTo(url)
  const client = await bus.connect('tests')
  const running = await page.next(({ frontends: [main] }) => main?.state === 'running')
  expect(running.frontends[0]).toMatchObject({ label: 'main', state: 'running' })
  const blocked = client.invoke('block', { ms: 1500 }).catch(() => {})
  expect((await page.next(({ core }) => !core.answers)).core).toMatchObject({ state: 'running', answers: false })
  await blocked
  await client.invoke('end').catch(() => {})
  const again = await page.next(({ core }) => core.restarts === 1 && core.state === 'running' && core.answers)
  expect(again).toMatchObject({ bus: 'running', core: { state: 'running' } })
  const { recent } = page.received
    .map(({ data }) => data as typeof again)
    .findLast(snapshot => snapshot.recent?.troubles.some(({ kind }) => kind === 'restart'))!
  const troubles = recent!.troubles.map(({ kind, label }) => `${kind} ${label}`)
  expect(troubles.toSorted()).toEqual(['blocked tests', 'restart core'])
  const block = recent!.troubles.find(({ kind }) => kind === 'blocked')!
  expect(block).toMatchObject({
    what: 'block',
    why: expect.stringMatching(/^core did not answer for \d\.\d s/),
  })
  expect(page.received.map(({ data }) => (data as Snapshot).core.blocked?.command)).toContain('block')
})

test('counts calls by command while an inspector is open, with reasons and the oldest call', async () => {
  const { bus, page } = await open({ capabilities: [most] })
  const client = await bus.connect('tests')
  const gone = client.invoke('slow', { ms: 60_000 }).catch(() => {})
  for (let i = 0; i < 20; i++) await client.invoke('add', { a: i, b: 1 })
  for (const command of ['fails', 'fails', 'greet', 'no_such', `${'x'.repeat(1000)}`]) {
    await client.invoke(command).catch(() => {})
  }
  // Core's commands come beside the totals of the host, and can be a snapshot behind.
  const { commands } = await page.next(
    snapshot =>
      snapshot.totals.failures === 5 &&
      snapshot.commands?.find(({ command }) => command === '(others)')?.failures['MethodNotFound'] === 2,
  )
  const get = (name: string) => commands!.find(({ command }) => command === name)
  expect(get('add')).toMatchObject({ calls: 20, failures: {}, inFlight: 0 })
  expect(get('add')!.p99).toBeGreaterThan(0)
  expect(get('fails')).toMatchObject({ calls: 2, failures: { CommandFailed: 2 } })
  expect(get('greet')).toMatchObject({ calls: 1, failures: { Denied: 1 } })
  expect(get('(others)')).toMatchObject({ calls: 2, failures: { MethodNotFound: 2 } })
  expect(get('slow')).toMatchObject({ inFlight: 1, oldest: { label: 'tests' } })
  expect(get('slow')!.oldest!.ms).toBeLessThan(60_000)
  await bus[Symbol.asyncDispose]()
  await gone
})

test.each<[string, (client: Client) => Promise<unknown>]>([
  ['a stream', client => client.stream('wait').next()],
  ['a call with an open channel', client => client.invoke('wait', { channel: new Channel(() => {}) })],
])('%s may take as long as it likes: it is in flight, and not the oldest call', async (_name, begin) => {
  const { bus, page } = await open()
  const ended = begin(await bus.connect('tests')).catch(() => {})
  const isRunning = ({ command, inFlight }: CommandStats): boolean => command === 'wait' && inFlight === 1
  const { commands } = await page.next(snapshot => snapshot.commands?.some(isRunning) === true)
  expect(commands!.find(isRunning)).not.toHaveProperty('oldest')
  await bus.close({ timeout: 0 })
  await ended
})

test('restarts the counts of commands for the next inspector', async () => {
  const { bus, page } = await open()
  const client = await bus.connect('tests')
  await client.invoke('add', { a: 1, b: 1 })
  await page.next(({ commands }) => commands?.some(({ command }) => command === 'add') === true)
  const inspector = await bus.openInspector()
  await inspector.close()
  await page.next()
  expect((await page.next()).commands!.some(({ command }) => command === 'add')).toBe(true)
  const other = await start()
  const first = await other.openInspector()
  const otherClient = await other.connect('tests')
  const firstPage = await listenTo(first.url)
  await firstPage.next(({ commands }) => commands !== undefined)
  await otherClient.invoke('add', { a: 1, b: 1 })
  await firstPage.next(({ commands }) => commands?.some(({ command }) => command === 'add') === true)
  await first.close()
  await otherClient.invoke('echo')
  const second = await listenTo((await other.openInspector()).url)
  const { commands } = await second.next(snapshot => snapshot.commands !== undefined)
  expect(commands!.map(({ command }) => command)).not.toContain('echo')
  expect(commands!.map(({ command }) => command)).not.toContain('add')
})

test('has the file and line of a fault, and the remedy for a denied call', async () => {
  const { bus, page } = await open({ capabilities: [some] })
  await bus.open('crashy', fixture('ends.mjs'), { supervision: { restart: 'temporary' } })
  await bus.call('crashy', 'ends').catch(() => {})
  const client = await bus.connect('tests')
  await client.invoke('greet').catch(() => {})
  const isComplete = ({ recent }: Snapshot): boolean => recent?.troubles.length === 1 && recent.refusals.length === 1
  const { troubles, refusals } = (await page.next(isComplete)).recent!
  expect(troubles.map(({ kind, where }) => [kind, where])).toEqual([
    ['failed', expect.stringMatching(/fixtures.ends\.mjs:7:13$/)],
  ])
  expect(refusals[0]).toMatchObject({
    what: 'greet',
    why: 'add "greet" to the option "allow" of the frontend "tests", or add "allow-greet" to the permissions of a capability whose windows match "tests"',
  })
})

test('bounds and escapes the names and errors of frontends', async () => {
  const { bus, url, page } = await open({ ...isolation(some), supervision: { restart: 'temporary' } })
  const client = await bus.connect('tests')
  const names = ['<img src=x onerror=alert(1)>', 'a\u202eb\u0007\u200b\n', 'x'.repeat(100_000), '\ud800']
  for (const name of names) await client.invoke(name, { hook: 'null' }).catch(() => {})
  const seen = await page.next(({ recent }) => recent?.refusals.length === names.length)
  expect(seen.recent!.refusals.map(({ what }) => what).toReversed()).toEqual([
    names[0],
    String.raw`a\u{202e}b\u{7}\u{200b}\u{a}`,
    expect.stringMatching(/^x{200}$/),
    String.raw`\u{d800}`,
  ])
  await Promise.all(Array.from({ length: 2000 }, (_, i) => client.invoke(`n${i}`, { hook: 'null' }).catch(() => {})))
  const full = await page.next(({ frontends }) => frontends[0]?.rejected === 2000 + names.length)
  const { recent } = full.recent ? full : await page.next(snapshot => snapshot.recent !== undefined)
  expect(recent!.refusals.length).toBe(100)
  const fault = String.raw`throw new Error('\u202e<b>' + 'y'.repeat(1e6))`
  await bus.open('bad', at(fault), { loaded: false })
  const failed = await page.next(snapshot => snapshot.recent?.troubles.some(({ kind }) => kind === 'failed') === true)
  const { why } = failed.recent!.troubles[0]!
  expect(why.startsWith(String.raw`\u{202e}<b>yyy`)).toBe(true)
  expect(why.length).toBeLessThan(400)
  expect((await ask(url, { path: 'access' })).text.length).toBeLessThan(20_000)
})

test('shows a core in the thread of the host', async () => {
  const { bus, page } = await open({ core: defineCore({ commands: { add: ({ a }: { a: number }) => a + 1 } }) })
  const client = await bus.connect('tests')
  await client.invoke('add', { a: 1 })
  const seen = await page.next(({ frontends }) => frontends[0]?.calls === 1)
  expect(seen.core).toMatchObject({ state: 'running', answers: true })
})

test('explains capabilities, with changes at run time', async () => {
  const { bus, url } = await open({ capabilities: [some] })
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

test('sends only frontends whose labels match', async () => {
  const { bus, url } = await open()
  for (const label of ['one', 'two', 'three']) await bus.connect(label)
  const page = await listenTo(url, '&find=T')
  const { frontends, found, open: total } = await page.next()
  expect([frontends.map(({ label }) => label), found, total]).toEqual([['two', 'three'], 2, 3])
})

test('ends the feed when the bus closes, without waiting for a page that does not read', async () => {
  const { bus, url, page } = await open({ core: fixture('core.mjs') })
  const { port, search } = new URL(url)
  const stalled = connect(Number(port), '127.0.0.1')
  stalled.on('error', () => {}).pause()
  stalled.write(`GET /feed${search} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  await page.next()
  await bus.close()
  await page.ended
  expect(page.received.at(-1)).toEqual({ event: 'end', data: { why: 'The bus was closed.' } })
  await expect(ask(url)).rejects.toThrow()
})
