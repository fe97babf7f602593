// Nothing is left of a wrapped server, whoever is killed at whatever moment.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countProcesses, hasWall, makeDirectory } from '../start.js'
import { CLI, SERVER } from '../wrapping.js'

const SEED = Number(process.env.SALLYPORT_WRAP_SEED ?? randomInt(2 ** 31))
const ATTEMPTS = 100
const WAYS = ['the client', 'wrap', 'the wall', 'the input', 'the output', 'a pause'] as const

/** Numbers from 0 to 1, the same for a seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 48_271) >>> 0) % (2 ** 31 - 1) || 1
    return state / 2 ** 31
  }
}

/** Returns the processes below one, itself included. */
function getTree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return [pid, ...children.flatMap(child => getTree(Number(child)))]
}

function end(way: (typeof WAYS)[number], shell: ChildProcess): void {
  const [, wrap, ...below] = getTree(shell.pid!)
  if (way === 'the client') shell.kill('SIGKILL')
  else if (way === 'the input') shell.stdin!.end()
  else if (way === 'the output') shell.stdout!.destroy()
  else if (way === 'a pause') {
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) if (wrap !== undefined) process.kill(wrap, signal)
    shell.stdin!.end()
  } else {
    const pid = way === 'wrap' ? wrap : below[0]
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  // A client that lives on ends its connection when the server has gone.
  shell.stdin!.end()
}

describe.runIf(hasWall)('a wrapped server', () => {
  test(`leaves nothing after ${ATTEMPTS} ends at random moments (SALLYPORT_WRAP_SEED=${SEED})`, async () => {
    const random = createRandom(SEED)
    const [data, marker] = [makeDirectory(), `marker-${process.pid}-wrap`]
    const temporary = makeDirectory()
    const env = { PATH: process.env.PATH!, XDG_DATA_HOME: data, TMPDIR: temporary }
    const args = [process.execPath, CLI, 'wrap', '--read', dirname(SERVER), '--', 'node', SERVER, marker]
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const way = WAYS[Math.floor(random() * WAYS.length)]!
      const rounds = Math.floor(random() * 400)
      // The shell stands for a client, which passes its pipes on.
      const shell = spawn('/bin/sh', ['-c', '"$@"; :', 'sh', ...args], { env, stdio: ['pipe', 'pipe', 'ignore'] })
      for (const stream of [shell.stdin, shell.stdout]) stream.on('error', () => {})
      shell.stdout.resume()
      for (let id = 1; id <= 3; id++) shell.stdin.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/list"}\n`)
      // A moment of the start, the first calls or the life: turns of this thread, each of about a millisecond.
      for (let round = 0; round < rounds; round++) await new Promise(resolve => setTimeout(resolve, 1))
      end(way, shell)
      await expect.poll(() => [attempt, way, countProcesses(marker)]).toEqual([attempt, way, 0])
    }
    expect(readdirSync(temporary)).toEqual([])
  }, 600_000)
})
