// Processes whose relays share a thread. One of them takes over the stream on which it reports, and reports what it likes.
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { PROCESS } from '../support/shared-relay.js'
import { watch } from '../support/shared-threads.js'
import { start } from '../support/start.js'

/** Writes a frame of the author's own as soon as the process writes to the stream: it has loaded its module, for example. */
const forge = (report: string): string => `
  import { Duplex } from 'node:stream'
  const { cork } = Duplex.prototype
  Duplex.prototype.cork = function () {
    if (this._handle) return cork.call(this)
    Duplex.prototype.cork = cork
    const body = Buffer.from('{"type":"message","message":' + ${report} + '}')
    const head = Buffer.alloc(5)
    head.writeUInt32LE(body.length)
    head[4] = ${FRAME_KIND.json}
    this.write(head)
    this.write(body)
    return cork.call(this)
  }
`
const NEIGHBOR = "import { expose } from '@sallyport/frontend'; expose({ pid: () => process.pid })"

const getUnhandled = (thrown: string): string =>
  `'{"type":"unhandled","error":{"message":"x","thrown":' + ${thrown} + '}}'`

test('a process that reports what no thread can take ends alone', async () => {
  const bus = await start()
  const { faults, restarts } = watch(bus)
  const labels = ['alice', 'bob']
  for (const label of labels) await bus.open(label, { source: NEIGHBOR }, { sandbox: PROCESS })
  const getPids = () => Promise.all(labels.map(label => bus.call<number>(label, 'pid')))
  const pids = await getPids()
  const supervision = { restart: 'temporary', heartbeat: 60_000 } as const
  await rows([
    ['too deep for the relay', getUnhandled(`'{"cause":'.repeat(60_000) + '{}' + '}'.repeat(60_000)`)],
    ['too deep for the host', getUnhandled(`'{"properties":{"a":' + '['.repeat(4000) + ']'.repeat(4000) + '}}'`)],
    ['as a state', `'{"type":"state","state":"failed","error":' + '['.repeat(10_000) + ']'.repeat(10_000) + '}'`],
  ])(async (_what, report) => {
    faults.length = 0
    // It can end before it has started.
    await bus.open('mallory', { source: forge(report) }, { sandbox: PROCESS, supervision }).catch(() => {})
    await expect.poll(() => faults).toEqual(['mallory: frontend "mallory" sent an invalid report'])
    await bus.closeFrontend('mallory').catch(() => {})
    expect(await getPids()).toEqual(pids)
  })
  expect(restarts).toEqual([])
})
