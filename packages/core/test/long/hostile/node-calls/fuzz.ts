// Runs hosts whose frontends call what Node gives them with generated arguments, and finds the calls that end a host.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface FuzzOptions {
  seed: number
  /** Every function is called in each round, 20 times. @default no limit */
  rounds?: number
  /** @default no limit */
  seconds?: number
  /** Calls only the function of this name. */
  only?: string | undefined
}

export interface Finding {
  name: string
  /** Number of the call, and its arguments, if the end is repeatable. */
  call?: number
  args?: string
  end: string
  round: number
}

export interface FuzzResult {
  findings: Finding[]
  /** Names of all functions, and of those that have not been called. */
  names: string[]
  missed: string[]
  calls: number
  /** Functions that have blocked the frontend, ended only it, or taken too much memory. */
  blocked: string[]
  ended: string[]
  exhausted: string[]
  exports: Record<string, Record<string, string>>
}

interface Work {
  seed: number
  first: number
  step: number
  round: number
  rounds: number
  only?: string | undefined
  isSlow: boolean
}

interface Run {
  listed?: { names: string[]; order: number[]; exports: FuzzResult['exports'] }
  /** What was called last. */
  position: number
  call: number
  args: string
  /** `undefined` after the last function. */
  end: 'frontend' | 'blocked' | 'memory' | 'time' | { text: string } | undefined
}

/** Without a call for so long, a function blocks. */
const BLOCKED_MS = 5000
const MAX_RESIDENT_BYTES = 3e9
const PAGE_BYTES = 4096
const LANES = 2
/** Ends of a process that has no memory left, which docs/reference/security.md lists. */
const NO_MEMORY =
  /out of memory|Allocation failed|invalid (?:table|array|string) (?:size|length)|bad_alloc|Check failed: byte_length/i

const host = fileURLToPath(new URL('host.mjs', import.meta.url))

function getResidentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}

/** Runs one host until it ends. */
async function runHost(work: Work, deadline: number): Promise<Run> {
  const child = spawn(process.execPath, ['--expose-gc', '--no-warnings', host, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const run: Run = { position: -1, call: -1, args: '', end: undefined }
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors = (errors + text).slice(-20_000)))
  let last = Date.now()
  const kill = (end: Run['end']): void => {
    run.end ??= end
    child.kill('SIGKILL')
  }
  const timer = setInterval(() => {
    if (Date.now() > deadline) kill('time')
    // A host needs longer to start.
    else if (Date.now() - last > (run.listed ? BLOCKED_MS : 60_000)) kill('blocked')
    else if (getResidentBytes(child.pid!) > MAX_RESIDENT_BYTES) kill('memory')
  }, 100)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => {
    last = Date.now()
    const message = JSON.parse(line) as NonNullable<Run['listed']> & { target: number; call: number; args: string }
    if (message.names) run.listed = message
    else if (message.target >= 0)
      Object.assign(run, { position: message.target, call: message.call, args: message.args })
  })
  const closed = new Promise(resolve => lines.once('close', resolve))
  const [code, signal] = await new Promise<[number | null, string | null]>(resolve => {
    child.once('close', (...end) => resolve(end))
  })
  await closed
  clearInterval(timer)
  if (run.end !== undefined || code === 0) return run
  if (code === 3) run.end = 'frontend'
  else if (NO_MEMORY.test(errors)) run.end = 'memory'
  else {
    const cause = /Assertion failed: .*|.*Error\b.*|Check failed: .*|Fatal error .*/.exec(errors)?.[0] ?? ''
    run.end = { text: `${signal ?? `exit ${code}`}${cause && `: ${cause.trim()}`}` }
  }
  return run
}

/** Repeats the calls of one function slowly, to find the one that ends the host. */
async function confirm(name: string, round: number, seed: number): Promise<Pick<Finding, 'call' | 'args'>> {
  const work = { seed, first: 0, step: 1, round, rounds: round + 1, only: name, isSlow: true }
  const { call, args, end } = await runHost(work, Date.now() + 60_000)
  return typeof end === 'object' ? { call, args } : {}
}

export async function fuzzNodeCalls({
  seed,
  rounds = Infinity,
  seconds = Infinity,
  only,
}: FuzzOptions): Promise<FuzzResult> {
  const deadline = Date.now() + seconds * 1000
  const found: FuzzResult = {
    ...{ findings: [], names: [], missed: [], calls: 0, blocked: [], ended: [], exhausted: [], exports: {} },
  }
  const called = new Set<string>()
  const runLane = async (lane: number): Promise<void> => {
    let work: Work = { seed, first: lane, step: LANES, round: 0, rounds: Math.min(rounds, 1e6), only, isSlow: false }
    for (;;) {
      const run = await runHost(work, deadline)
      const { listed, position, end } = run
      if (!listed) {
        if (end === 'time') return
        throw new Error(`The frontend did not list its functions: ${JSON.stringify(run)}`)
      }
      const { names, order, exports } = listed
      Object.assign(found, { names, exports })
      const count = names.length
      const from = work.round * count + work.first
      const until = end === undefined ? work.rounds * count - 1 : position
      for (let i = from; i <= until; i++) {
        const at = i % count
        if (at % LANES !== lane) continue
        found.calls++
        called.add(names[order[at]!]!)
      }
      if (end === undefined || end === 'time') return
      const round = Math.floor(position / count)
      const name = names[order[position % count]!]!
      if (end === 'blocked') found.blocked.push(name)
      else if (end === 'frontend') found.ended.push(name)
      else if (end === 'memory') found.exhausted.push(name)
      else found.findings.push({ name, end: end.text, round, ...(await confirm(name, round, seed)) })
      const next = (position % count) + LANES
      work = next < count ? { ...work, round, first: next } : { ...work, round: round + 1, first: lane }
      if (work.round >= rounds) return
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)))
  found.missed = found.names.filter(name => !called.has(name))
  return found
}
