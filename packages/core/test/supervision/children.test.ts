// The children of a host whose bus has ended. One that has exited stays in the process table until the thread that started it has read that.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getChildren } from '../support/get-children.mjs'
import { fixture, start } from '../support/start.js'

const module = new URL('data:text/javascript,setInterval(() => {}, 1e6)')
const sandboxes = {
  wall: { kind: 'process' },
  plain: { kind: 'process', wall: 'none' },
  script: { kind: 'quickjs', process: true },
} as const

test.runIf(process.platform === 'linux')('no child is left when core and the bus end, whichever is first', () =>
  // Ticks of the host between the end of core and that of the bus, which else waits until it hears that core has failed.
  rows([
    ['throw', undefined],
    ['throw', 0],
    ['throw', 30],
    ['throw', 1000],
    ['exit', 0],
    ['exit', 9000],
  ])(async (how, ticks) => {
    const before = getChildren(process.pid)
    const entries = Object.entries(sandboxes).map(([label, sandbox]) => [label, { module, sandbox }])
    const bus = await start({
      core: fixture('supervision/reborn.mjs'),
      supervision: { restart: 'temporary' },
      frontends: Object.fromEntries(entries),
    })
    const failed = new Promise(resolve => bus.on('failed', resolve))
    const client = await bus.connect('it', { allow: '*' })
    client.invoke('end', { how }).catch(() => {})
    if (ticks === undefined) await failed
    else for (let i = 0; i < ticks; i++) await new Promise(setImmediate)
    await bus.close()
    expect(getChildren(process.pid), `after ${ticks} ticks`).toEqual(before)
  }),
)
