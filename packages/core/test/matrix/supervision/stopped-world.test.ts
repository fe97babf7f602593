// The world is slow: processes that are stopped for a while and go on, and neighbours that compute as long as they may, beside nothing and beside six
// busy loops. Nothing is lost, nobody is blamed, and nothing restarts. SALLYPORT_STOP_SECONDS is the length of a stop.
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { KINDS } from '../../fixtures/world/kinds.mjs'
import { getFrontendPids, isAlive } from '../../support/processes.js'
import { fixture } from '../../support/start.js'

const SECONDS = Number(process.env['SALLYPORT_STOP_SECONDS'] ?? 30)
/** For one command of the host. */
const TIMEOUT = 1_800_000
const LABELS = Object.keys(KINDS)
const ENDS = ['reload', 'close', 'leave', 'close bus']
/** That have a process, which can be stopped alone, and that end by themselves. */
const PROCESSES = ['script-in-process', 'script-of-four', 'process', 'wall']
const NODE = ['thread', 'permission', 'process', 'wall']

const last = promisify(execFile)
/** Lets time pass for others: what is tried is real time. */
const pass = (seconds: number): Promise<unknown> => last('sleep', [String(seconds)])

interface Answer {
  type: string
  result?: Record<string, number>
  wrong: string[]
}

class Host {
  readonly #child: ChildProcess
  readonly #answers: Answer[] = []
  #wake = (): void => {}
  #exited: string | undefined

  constructor() {
    this.#child = fork(fixture('world/host.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', answer => {
      this.#answers.push(answer as Answer)
      this.#wake()
    })
    this.#child.on('exit', (code, signal) => {
      this.#exited = `The host exited: ${code ?? signal}`
      this.#wake()
    })
    onTestFinished(() => {
      signal(this.pids, 'SIGCONT')
      this.#child.kill('SIGCONT')
      this.#child.kill('SIGKILL')
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Of its members. */
  get pids(): number[] {
    return getFrontendPids(this.pid)
  }

  send(type: string, command: object = {}): void {
    this.#child.send({ type, ...command })
  }

  async next(type: string): Promise<Answer> {
    for (;;) {
      const at = this.#answers.findIndex(answer => answer.type === type)
      if (at >= 0) return this.#answers.splice(at, 1)[0]!
      if (this.#exited !== undefined) throw new Error(this.#exited)
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async do(type: string, command: object = {}): Promise<Answer> {
    this.send(type, command)
    return this.next('done')
  }
}

async function startHost(labels: readonly string[]): Promise<Host> {
  const host = new Host()
  await host.next('ready')
  expect((await host.do('open', { labels })).wrong).toEqual([])
  return host
}

/** The process of a run can be over meanwhile. */
const signal = (pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void =>
  pids.filter(isAlive).forEach(pid => void process.kill(pid, name))

async function stop(pids: readonly number[]): Promise<void> {
  signal(pids, 'SIGSTOP')
  await pass(SECONDS)
  signal(pids, 'SIGCONT')
}

const code =
  'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { for (const end = Date.now() + 1000; Date.now() < end; ); })'
function load(loops: number): void {
  const busy = Array.from({ length: loops }, () => spawn(process.execPath, ['-e', code]))
  onTestFinished(() => busy.forEach(each => void each.kill('SIGKILL')))
}

const who = ['host', 'members'] as const
type Who = (typeof who)[number]
const loads = [0, 6]

/** Stops the host in the middle of an end, or the processes of members, which it stops itself, and lets them go on. */
async function stopInEnd(host: Host, how: string, stopped: Who, labels: readonly string[]): Promise<string[]> {
  const pids = stopped === 'members' ? host.pids : []
  host.send(how === 'close bus' ? how : 'end', { labels, how, pids })
  await host.next('ending')
  if (stopped === 'host') await stop([host.pid])
  else {
    await pass(SECONDS)
    signal(pids, 'SIGCONT')
  }
  return (await host.next('done')).wrong
}

test.each(loads)(
  'a host, and its members, are stopped in the middle of all traffic, beside %i busy loops',
  { timeout: TIMEOUT },
  async loops => {
    load(loops)
    await rows(who.map(each => [each] as const))(async stopped => {
      const host = await startHost(LABELS)
      const labels = stopped === 'host' ? LABELS : PROCESSES
      host.send('traffic', { labels })
      expect((await host.next('done')).wrong).toEqual([])
      await pass(3)
      await stop(stopped === 'host' ? [host.pid] : host.pids)
      await pass(3)
      const { wrong, result } = await host.do('over')
      expect(wrong).toEqual([])
      expect(Object.values(result!).every(count => count > 0)).toBe(true)
    })
  },
)

test.each(loads)(
  'a host, and its members, are stopped in the middle of each end, beside %i busy loops',
  { timeout: TIMEOUT },
  async loops => {
    load(loops)
    await rows(ENDS.flatMap(how => who.map(stopped => [`${how}, ${stopped}`, how, stopped] as const)))(
      async (_name, how, stopped) => {
        const labels = (stopped === 'host' ? LABELS : PROCESSES).filter(each => how !== 'leave' || NODE.includes(each))
        const host = await startHost(labels)
        expect(await stopInEnd(host, how, stopped, labels)).toEqual([])
      },
    )
  },
)

test.each(loads)('neighbours compute as long as they may, beside %i busy loops', { timeout: TIMEOUT }, async loops => {
  load(loops)
  await rows(LABELS)(async label => {
    const host = await startHost([label])
    const { wrong } = await host.do('neighbours', { label, count: 20, ms: 900, rounds: 2 })
    expect(wrong).toEqual([])
  })
})
