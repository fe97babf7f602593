import { expect, test } from 'vitest'
import { tryEach } from '../../launchers/find-wall.js'
import { type Launcher, LauncherUnavailable } from '../../launchers/launcher.js'
import { CAN_DENY_NET } from '../workers/sandbox.js'
import { checkNet, resolveWall } from './wall.js'

const launcher: Launcher = { name: 'test', launch: (command, args) => ({ command, args }) }
const fail = (text: string) => (): Launcher => {
  throw new LauncherUnavailable(text)
}
const findNone = () => tryEach([fail('one is missing. Install one'), fail('two is too old. Install a newer one')])
const findOne = () => tryEach([fail('one is missing. Install one'), () => launcher])

test('the first launcher that works is taken', () => {
  expect(findOne()).toEqual({ launcher, failures: ['one is missing. Install one'] })
  for (const wall of ['auto', 'required'] as const) {
    expect(resolveWall('sandbox', { wall, tmp: undefined }, findOne)).toBe(launcher)
  }
})

test('an error that is not about a launcher is not hidden', () => {
  const create = (): Launcher => {
    throw new TypeError('a fault')
  }
  expect(() => tryEach([create, () => launcher])).toThrow('a fault')
})

test('without a launcher that works, auto continues without a wall, and required has the remedy of each', () => {
  expect(resolveWall('sandbox', { wall: 'auto', tmp: undefined }, findNone)).toBeUndefined()
  const required = () => resolveWall('sandbox', { wall: 'required', tmp: undefined }, findNone)
  expect(required).toThrow(LauncherUnavailable)
  expect(required).toThrow(
    'sandbox.wall must not be "required": one is missing. Install one; two is too old. Install a newer one',
  )
})

test('none and a launcher need no search', () => {
  const find = (): never => {
    throw new Error('searched')
  }
  expect(resolveWall('sandbox', { wall: 'none', tmp: undefined }, find)).toBeUndefined()
  expect(resolveWall('sandbox', { wall: launcher, tmp: undefined }, find)).toBe(launcher)
})

test('tmp is refused without a wall that limits it', () => {
  expect(() => resolveWall('sandbox', { wall: 'none', tmp: 1 })).toThrow(
    'sandbox.tmp must be left out: the process has no wall that limits it. Use a wall of bubblewrap',
  )
  expect(() => resolveWall('sandbox', { wall: launcher, tmp: 1 })).toThrow('test does not limit it')
  expect(resolveWall('sandbox', { wall: { ...launcher, limitsTmp: true }, tmp: 1 })?.name).toBe('test')
})

test('net: false is refused only if neither Node nor a wall closes the network', () => {
  const sandbox = { kind: 'ses', net: false }
  checkNet('sandbox', sandbox, { ...launcher, closesNetwork: true })
  const check = () => checkNet('sandbox', sandbox, launcher)
  if (CAN_DENY_NET) check()
  else expect(check).toThrow(/^sandbox\.net must not be false: .* bubblewrap \(apt-get install bubblewrap\)/)
})
