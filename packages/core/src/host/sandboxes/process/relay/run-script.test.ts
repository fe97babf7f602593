// The end of a process of many scripts, as the relay of one script sees it: the process is a double.
import { Duplex, PassThrough } from 'node:stream'
import { getScriptStreams, type MemberConnection } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createLinkEndpoints, openLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../../../../scripts/testing.js'
import { runScript } from './run-script.js'
import { ScriptHost } from './script-host.js'

afterEach(() => void vi.useRealTimers())

let lastId = 0

/** Starts a script with a link to core, and returns the ends of its streams in the process. */
function start() {
  const [down, up] = [new PassThrough(), new PassThrough()]
  const kill = vi.fn<(error: BusError) => void>()
  const id = ++lastId
  const host = new ScriptHost(id, Duplex.from({ readable: up, writable: down }), {
    kill,
    ping() {},
    ask() {},
    closed() {},
  })
  const reports: unknown[] = []
  let command!: (message: unknown) => void
  const member: MemberConnection = {
    postMessage: message => void reports.push(message),
    onMessage: handle => void (command = handle),
    onTerminate() {},
    setBusy() {},
    isTerminated: () => false,
    failThread() {},
    exit() {},
  }
  const data = { scriptHost: id, name: 'it', start: {} as never, heartbeat: undefined, maxRunMs: 1000 }
  const running = runScript(member, data)
  const [coreEnd, scriptEnd] = createLinkEndpoints('local')
  const linkClosed = createDeferred()
  openLink(coreEnd, true).receive({ frame() {}, closed: () => linkClosed.resolve() })
  command({ type: 'link', link: scriptEnd, scripts: [] })
  const process = new StreamMultiplexer(Duplex.from({ readable: down, writable: up }), { closed() {} })
  const ids = getScriptStreams(1)
  /** The pipe closes, and later the process has exited. */
  const end = async (meanwhile: () => void): Promise<void> => {
    up.end()
    await linkClosed.promise
    await new Promise(setImmediate)
    meanwhile()
    expect(kill).not.toHaveBeenCalled()
    host.ended(new BusError('Crashed', 'It was terminated by SIGSEGV'))
    await running
    expect(reports).toMatchObject([
      { type: 'state', state: 'failed', error: { message: 'It was terminated by SIGSEGV' } },
    ])
  }
  return { control: process.open(ids.control), link: process.open(ids.link), end }
}

test('a process that is killed within a frame violates no protocol', () =>
  rows(['control', 'link'] as const)(async name => {
    const { end, ...streams } = start()
    // The header of a frame of 100 bytes.
    streams[name].write(Buffer.from([100, 0, 0, 0, 1]))
    await new Promise(setImmediate)
    await end(() => {})
  }))

test('a process that takes long to exit says itself why', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await start().end(() => vi.advanceTimersByTime(10_000))
})
