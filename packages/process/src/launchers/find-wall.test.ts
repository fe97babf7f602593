import { expect, test } from 'vitest'
import { CAN_DENY_NET, checkNet } from '../permission-model/module-code.js'
import { type Launcher, LauncherUnavailable, tryNode } from './launcher.js'
import { isNetClosed, resolveWall, tryEach } from './find-wall.js'

const launcher: Launcher = { name: 'test', launch: (command, args) => ({ command, args }) }
const attempt = (getLauncher: () => Launcher) => async () => getLauncher()
const fail = (text: string) =>
  attempt(() => {
    throw new LauncherUnavailable(text)
  })
const findNone = () => tryEach([fail('one is missing. Install one'), fail('two is too old. Install a newer one')])
const findOne = () => tryEach([fail('one is missing. Install one'), attempt(() => launcher)])

test('the first launcher that works is taken', async () => {
  expect(await findOne()).toEqual({ launcher, failures: ['one is missing. Install one'] })
  for (const wall of ['auto', 'required'] as const) {
    expect((await resolveWall('sandbox', { wall, tmp: undefined }, findOne)).launcher).toBe(launcher)
  }
})

test('a program that is missing is a reason', async () => {
  expect(await tryNode({ command: '/none/program', args: [] })).toBe('spawn /none/program ENOENT')
})

test('an error that is not about a launcher is not hidden', async () => {
  const create = attempt(() => {
    throw new TypeError('a fault')
  })
  await expect(tryEach([create, attempt(() => launcher)])).rejects.toThrow('a fault')
})

test('without a launcher that works, auto continues without a wall, and required has the remedy of each', async () => {
  expect((await resolveWall('sandbox', { wall: 'auto', tmp: undefined }, findNone)).launcher).toBeUndefined()
  const required = () => resolveWall('sandbox', { wall: 'required', tmp: undefined }, findNone)
  await expect(required).rejects.toThrow(LauncherUnavailable)
  await expect(required).rejects.toThrow(
    'sandbox.wall must not be "required": one is missing. Install one; two is too old. Install a newer one',
  )
})

test('none and a launcher need no search', async () => {
  const find = (): never => {
    throw new Error('searched')
  }
  const resolve = async (wall: 'none' | Launcher) => (await resolveWall('sandbox', { wall }, find)).launcher
  expect(await resolve('none')).toBeUndefined()
  expect(await resolve(launcher)).toBe(launcher)
})

test('tmp is refused without a wall that limits it', async () => {
  await expect(resolveWall('sandbox', { wall: 'none', tmp: 1 })).rejects.toThrow(
    'sandbox.tmp must be left out: the process has no wall that limits it. Use a wall of bubblewrap',
  )
  await expect(resolveWall('sandbox', { wall: launcher, tmp: 1 })).rejects.toThrow('test does not limit it')
  const limited = { ...launcher, limitsTmp: true }
  expect((await resolveWall('sandbox', { wall: limited, tmp: 1 })).launcher).toBe(limited)
})

test('net: false is refused only if neither Node nor a wall closes the network', () => {
  checkNet('sandbox', false, isNetClosed({ ...launcher, closesNetwork: true }))
  const check = () => checkNet('sandbox', false, isNetClosed(launcher))
  if (CAN_DENY_NET) check()
  else expect(check).toThrow(/^sandbox\.net must not be false: .* bubblewrap \(apt-get install bubblewrap\)/)
})
