import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getLaunch } from './check-launch.js'
import type { Launch, LaunchInfo } from './launcher.js'

const info: LaunchInfo = {
  ...{ reads: { directories: [], files: [] }, writes: [], descriptors: [], net: false, limits: {} },
  program: { entry: '/app/process.cjs', node: process.version },
}
const program = { command: process.execPath, args: [] }
const get = (launch: unknown, isElsewhere = false): Launch =>
  getLaunch('frontend "main"', { name: 'box', isElsewhere, launch: () => launch as Launch }, program, info)

test('what a launcher returns is started as it is', () => {
  const launch: Launch = { ...program, env: { A: '1' }, stop: program, processes: 1, cgroups: undefined }
  expect(get(launch)).toBe(launch)
  expect(get(launch, true)).toBe(launch)
  expect(get(program)).toBe(program)
})

test('what cannot be started is refused, with the names of the frontend and the launcher', () =>
  rows<[launch: unknown, message: string, isElsewhere?: boolean]>([
    [undefined, 'no command with arguments'],
    [{}, 'no command with arguments'],
    [{ ...program, args: 'y' }, 'no command with arguments'],
    [{ ...program, args: [1] }, 'no command with arguments'],
    [{ command: process.execPath, argz: [] }, 'the unknown member "argz". Use command, args, env, stop'],
    [{ ...program, stop: {} }, 'no command with arguments. Return a "stop" of {'],
    [{ ...program, stop: { cmd: 'x' } }, 'the unknown member "stop.cmd". Use command, args'],
    [{ ...program, command: 'ssh' }, 'the command "ssh", which is no absolute path'],
    [{ ...program, command: join(tmpdir(), 'no-ssh') }, 'which does not exist or cannot be executed'],
    [{ ...program, stop: { command: join(tmpdir(), 'no-ssh'), args: [] } }, 'the stop.command'],
    [{ ...program, env: { A: 1 } }, 'an "env" whose "A" is no string'],
    [Promise.reject(new Error('nobody waits for it')), 'a promise. Do what takes time before'],
    [program, 'no "stop", without which a process that is elsewhere outlives its command', true],
  ])((launch, message, isElsewhere) => {
    expect(() => get(launch, isElsewhere)).toThrow('frontend "main" was not started: its launcher "box" returned ')
    expect(() => get(launch, isElsewhere)).toThrow(message)
  }))

test('the cgroups of what is refused are removed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'launch-'))
  const cgroup = join(directory, 'cgroup')
  mkdirSync(cgroup)
  expect(() => get({ ...program, command: 'x', cgroups: [cgroup] })).toThrow('no absolute path')
  await expect.poll(() => existsSync(cgroup)).toBe(false)
  rmSync(directory, { recursive: true })
})
