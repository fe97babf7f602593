import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { OrphanGuard } from './orphan-guard.js'

const temporary = mkdtempSync(join(tmpdir(), 'guard-'))
afterAll(() => rmSync(temporary, { recursive: true }))

const startBusy = (): ChildProcess => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })

describe.skipIf(process.platform === 'win32')('the orphan guard', () => {
  let directory: string
  let guard: OrphanGuard
  let count = 0
  beforeEach(() => {
    directory = join(temporary, String(++count))
    guard = new OrphanGuard(directory)
    mkdirSync(directory)
  })

  test('kills a busy process and removes its directory when the pipe ends', async () => {
    const child = startBusy()
    guard.watch(child)
    guard.end()
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })

  test('removes the directory when the pipe ends before there is a process', async () => {
    guard.end()
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })

  test('removes nothing after the process has exited, because another process could have its id', async () => {
    const child = startBusy()
    guard.watch(child)
    child.kill('SIGKILL')
    await guard.exited
    expect(existsSync(directory)).toBe(true)
  })

  test('ends with a process that could not be started', async () => {
    const child = spawn(join(directory, 'missing')).on('error', () => {})
    guard.watch(child)
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })
})
