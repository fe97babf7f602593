import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lacksProcessTree, readTreeMemory, startTreeCpuClock } from './machine.js'

const MIB = 1024 ** 2

/** Starts a child of its own, and reports the child's id when the child is ready. */
const PARENT = `
  const child = require('node:child_process').fork(process.argv[2], { execArgv: [] })
  child.on('message', () => process.send(child.pid))
`
/** Takes memory. It exits after its parent. */
const CHILD = `
  globalThis.kept = Buffer.alloc(64 * 1024 ** 2, 1)
  process.on('disconnect', () => process.exit())
  process.send('ready')
`

describe.runIf(lacksProcessTree() === undefined)('a tree of processes', () => {
  let directory = ''
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'bench-tree-'))))
  let parent: ChildProcess | undefined
  afterEach(async () => {
    if (parent?.kill('SIGKILL')) await once(parent, 'exit')
    rmSync(directory, { recursive: true, force: true })
  })

  test('includes the memory of descendants', async () => {
    const [first, second] = [join(directory, 'parent.cjs'), join(directory, 'child.cjs')]
    writeFileSync(first, PARENT)
    writeFileSync(second, CHILD)
    parent = fork(first, [second], { execArgv: [] })
    const [child] = (await once(parent, 'message')) as [number]
    const [tree, leaf] = [readTreeMemory(parent.pid), readTreeMemory(child)]
    expect(leaf).toBeGreaterThan(64 * MIB)
    expect(tree).toBeGreaterThan(leaf)
  })

  test('has a clock that counts the CPU time of children since its start', async () => {
    const file = join(directory, 'busy.cjs')
    writeFileSync(
      file,
      "process.on('message', () => { const before = process.cpuUsage(); while (process.cpuUsage(before).user < 300_000); process.send('done') })",
    )
    parent = fork(file, [], { execArgv: [] })
    // oxlint-disable-next-line sallyport/no-real-time -- CPU time is the subject
    const before = process.cpuUsage()
    const readCpu = startTreeCpuClock()
    parent.send('begin')
    await once(parent, 'message')
    // oxlint-disable-next-line sallyport/no-real-time -- CPU time is the subject
    const { user, system } = process.cpuUsage(before)
    expect(readCpu()).toBeGreaterThan(user + system + 150_000)
  })

  test('has a clock that does not go back when a child exits', async () => {
    const file = join(directory, 'idle.cjs')
    writeFileSync(file, 'setInterval(() => {}, 1e6); process.send(1)')
    parent = fork(file, [], { execArgv: [] })
    await once(parent, 'message')
    const readCpu = startTreeCpuClock()
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    expect(readCpu()).toBeGreaterThan(0)
  })

  test('has no memory after its process has exited', async () => {
    const child = spawn(process.execPath, ['--eval', ''])
    await once(child, 'exit')
    expect(readTreeMemory(child.pid)).toBe(0)
  })
})
