import { expect, test } from 'vitest'
import { CAN_DENY_NET, checkNet } from '../permission-model/module-code.js'
import { type Launcher, LauncherUnavailable, tryNode } from './launcher.js'
import { LAUNCHERS } from './table.js'
import { explainOpenNet, resolveWall, tryEach } from './find-wall.js'

const launcher: Launcher = { name: 'test', launch: (command, args) => ({ command, args }) }
const attempt = (getLauncher: () => Launcher, weakness?: string) => ({
  ...{ name: 'test', call: 'await test()', ...(weakness !== undefined && { weakness }) },
  create: async () => getLauncher(),
})
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

test('a program that is missing is a reason, and one that hangs', async () => {
  expect(await tryNode({ command: '/none/program', args: [] })).toBe('spawn /none/program ENOENT')
  const hangs = { command: process.execPath, args: ['-e', 'for (;;);'], timeout: 1 }
  expect(await tryNode(hangs)).toBe('it did not answer within 0.001 s')
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

test('deno is taken by auto and by name, and is not enough for what is required', async () => {
  const deno: Launcher = { ...launcher, name: 'deno' }
  const { name, call, weakness } = LAUNCHERS.find(kind => kind.name === 'deno')!
  const find = () => tryEach([fail('one is missing. Install one'), { ...attempt(() => deno, weakness), name, call }])
  const resolve = async (wall: 'auto' | 'required' | Launcher) =>
    (await resolveWall('sandbox', { wall }, find)).launcher
  expect([await resolve('auto'), await resolve(deno)]).toEqual([deno, deno])
  await expect(resolve('required')).rejects.toThrow(
    /required": one is missing\. Install one; deno works here, but lets code read the packages of all .* wall: await deno\(\)$/,
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
  await expect(resolveWall('sandbox', { wall: launcher, tmp: 1 })).rejects.toThrow(
    'the launcher "test" does not limit it. Use a wall of bubblewrap, or a launcher with "tmp" in "holds"',
  )
  const limited: Launcher = { ...launcher, holds: ['tmp'] }
  expect((await resolveWall('sandbox', { wall: limited, tmp: 1 })).launcher).toBe(limited)
})

test('a limit of a process that is elsewhere is refused, unless its launcher holds it', async () => {
  const elsewhere: Launcher = { ...launcher, isElsewhere: true, holds: ['memory', 'cpu'] }
  const limits = { memory: 100, cpu: 1 }
  expect((await resolveWall('sandbox', { wall: elsewhere, ...limits })).launcher).toBe(elsewhere)
  await expect(resolveWall('sandbox', { wall: elsewhere, ...limits, pids: 10 })).rejects.toThrow(
    'sandbox.pids must be left out: the launcher "test" has the process elsewhere, and no "pids" in "holds". ',
  )
  const here = () => resolveWall('sandbox', { wall: launcher, pids: 10 })
  if (process.platform === 'linux') await here()
  else await expect(here).rejects.toThrow('sandbox.pids must be left out: it needs Linux, or a launcher that holds it')
})

test('files to read of a process that is elsewhere are refused, unless its launcher binds those of this machine', async () => {
  const elsewhere: Launcher = { ...launcher, isElsewhere: true }
  const read = [new URL('file:///srv/')]
  await expect(resolveWall('sandbox', { wall: elsewhere, read })).rejects.toThrow(
    'sandbox.read must be left out: the launcher "test" has the process elsewhere, without files of this machine. ',
  )
  for (const wall of [launcher, { ...elsewhere, bindsWrites: true }])
    expect((await resolveWall('sandbox', { wall, read })).launcher).toBe(wall)
})

test('net: false is refused only if neither Node nor a wall closes the network', () => {
  const check = (wall: Launcher | undefined) => checkNet('sandbox', false, explainOpenNet(wall))
  check({ ...launcher, closesNetwork: true })
  if (CAN_DENY_NET) return check(launcher)
  expect(() => check(undefined)).toThrow(/^sandbox\.net must not be false: .* in a wall \(npx --no sallyport doctor /)
  // A launcher of one's own can close it.
  expect(() => check(launcher)).toThrow(/the launcher "test" does not say that it does\. .* set "closesNetwork"$/)
})
