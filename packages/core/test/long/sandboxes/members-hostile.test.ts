// What each kind of process does to its relay. Any of it ends that process, with an error that says so, and no other.
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Launcher } from '../../../src/launchers.js'
import { getPrelude } from '../../support/hostile-process.js'
import { count, KINDS, openWatched, startMembers, TEMPORARY } from '../../support/members.js'
import { getFrontendPids } from '../../support/processes.js'

const INVALID = /sent an invalid report$/
const VIOLATION = 'The peer violated the stream protocol: '
const READY = `report({ type: 'state', state: 'ready' })`
const GARBAGE = 'GET / HTTP/1.1'

const HOSTILE: readonly [what: string, program: string, error: RegExp][] = [
  ['garbage for core', `core.write('${GARBAGE}')`, RegExp(`^${VIOLATION}invalid kind of frame$`)],
  ['4 GiB for core', `core.write(frame(1, '', 0xffffffff))`, RegExp(`^${VIOLATION}a frame out of bounds$`)],
  ['garbage', `control.write('${GARBAGE}')`, RegExp(`^${VIOLATION}invalid kind`)],
  ['a report of 2 MiB', `control.write(frame(1, '', 2 ** 21))`, RegExp(`^${VIOLATION}a frame out`)],
  ['invalid JSON', `control.write(frame(1, '{'))`, INVALID],
  ['null', `control.write(frame(1, 'null'))`, INVALID],
  ['bytes', `control.write(frame(5, 'x'))`, INVALID],
  ['twice that it has no sockets', `for (let n = 0; n < 2; n++) member({ type: 'linked', isDirect: true })`, INVALID],
  ['an exit code that there is not', `member({ type: 'exited', code: 2 })`, INVALID],
  ['another report', `report({ type: 'log', line: 'x' })`, INVALID],
  ['that it is loaded before it is ready', `report({ type: 'loaded' })`, INVALID],
  ['twice that it is loaded', `${READY}; for (let n = 0; n < 2; n++) report({ type: 'loaded', more: 1 })`, INVALID],
  ['a state again and again', `for (let n = 0; n < 100_000; n++) ${READY}`, INVALID],
  ['an unknown state', `report({ type: 'state', state: '__proto__' })`, INVALID],
  [
    'that it has failed, and runs on',
    `report({ type: 'state', state: 'failed', error: { message: 'It lies' } })`,
    /^It lies$/,
  ],
  [
    'an error of another form',
    `report({ type: 'state', state: 'failed', error: { message: 5, stack: [], reason: 'x', more: 1 } })`,
    /^The frontend failed$/,
  ],
  [
    'no more reports',
    `control.destroy()`,
    /closed its reports and did not exit within 1000 ms$|sent no end of a script$/,
  ],
  ['nothing more', `require('node:fs').closeSync(1)`, /closed its output and did not exit within 1000 ms$/],
  [
    'to its standard output',
    `require('node:fs').writeSync(1, 'x'.repeat(100))`,
    /^The peer violated the protocol of a pipe.*: invalid type of record. Print by console, process.stdout or node:fs/,
  ],
]

/** Of each kind: its number in its process, and what comes before its first frame for core. */
const PLACES = [
  ['a process', 0, `member({ type: 'linked', isDirect: false });`],
  ['a script in a process', 0, `member({ type: 'linked', isDirect: false });`],
  ['a script in a process of several', 1, ''],
] as const

test.each(PLACES)('%s that breaks its protocol ends alone', { timeout: 300_000 }, async (name, member, linked) => {
  const kind = KINDS.find(each => each.name === name)!
  const bus = await startMembers()
  const { hosts, restarts } = await openWatched(bus, kind, ['b'])
  const errors: string[] = []
  bus.on('fault', ({ error }) => void errors.push(error.message))
  let calls = 0
  await rows(HOSTILE)(async (_what, program, error) => {
    errors.length = 0
    const begin = program.startsWith('core') ? linked : ''
    const code = `${getPrelude(member)}; control.once('data', () => { ${begin} ${program} }); setInterval(() => {}, 1000)`
    const wall: Launcher = { name: 'hostile', launch: command => ({ command, args: ['-e', code] }) }
    const sandbox = { ...kind.place, wall } as typeof kind.place
    await bus.open('a', { source: '' }, { sandbox, ...TEMPORARY }).catch(({ message }: Error) => errors.push(message))
    await expect.poll(() => errors[0]).toMatch(error)
    await expect.poll(() => getFrontendPids()).toEqual(hosts.pids)
    expect(await count(bus, 'b')).toBe(++calls)
    await bus.closeFrontend('a').catch(() => {})
  })
  expect(restarts).toEqual([])
})
