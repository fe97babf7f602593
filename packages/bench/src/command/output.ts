// The output of a command for people: results on stdout, and everything about the run, with its progress, on stderr.
import { createLogUpdate } from 'log-update'
import pc from 'picocolors'
import type { Scenario } from '../model/scenario.js'
import type { Screen } from '../report/terminal.js'
import { expectedMs, getRounds, totalMs, type Plan } from '../run/plan.js'
import { run, type Launch, type Outcome, type Watcher } from '../run/run.js'
import { count } from '../shared/text.js'

export interface Output {
  screen: Screen
  /** True if a line on stderr can be replaced. */
  live: boolean
  /** Prints a result, unless stdout carries JSON. */
  print(text: string): void
  /** Prints something about the run. */
  log(text: string): void
}

/** The width of an output that is not a terminal. */
const PIPE_COLUMNS = 80

export function createOutput(json: boolean): Output {
  const { stdout, stderr, env } = process
  const isPlain = Boolean(env['NO_COLOR'] || env['CI'] || env['TERM'] === 'dumb')
  return {
    screen: { columns: stdout.columns || PIPE_COLUMNS, colors: pc.createColors(Boolean(stdout.isTTY) && !isPlain) },
    live: stderr.isTTY && !isPlain,
    print: text => void (json || stdout.write(`${text}\n`)),
    log: text => void stderr.write(`${text}\n`),
  }
}

/** A signal ended the run. */
export class Interrupted extends Error {
  override name = 'Interrupted'

  constructor(readonly exitCode: number) {
    super('Stopped. No report was written.')
  }
}

/** 128 and the number of the signal. SIGHUP is sent when the terminal closes. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** Deadline for threads and processes to end after a signal. */
const END_TIMEOUT_MS = 3000

/** Returns a signal that Ctrl-C aborts, with an `Interrupted` as its reason. A second Ctrl-C ends the process. */
export function createInterruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const [name, exitCode] of Object.entries(SIGNAL_EXITS)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode)
      setTimeout(() => process.exit(exitCode), END_TIMEOUT_MS).unref()
      controller.abort(new Interrupted(exitCode))
    })
  }
  return controller.signal
}

interface Job {
  scenarios: readonly Scenario[]
  plan: Plan
  signal: AbortSignal
  launch: Launch
}

/** Runs scenarios, shows the progress, and passes the outcome of each to `done`. */
export function runWithProgress(output: Output, job: Job, done: (outcome: Outcome) => void): Promise<Outcome[]> {
  const { scenarios, plan, signal, launch } = job
  const { watcher, clear } = createProgress(output, scenarios, plan)
  const showDone: Watcher['done'] = outcome => {
    clear()
    watcher.done(outcome)
    done(outcome)
  }
  return run(scenarios, plan, { ...watcher, done: showDone }, signal, launch).finally(clear)
}

const BAR_LENGTH = 20

/** Shows a progress line that is replaced, or prints a line for each scenario if that is impossible. */
function createProgress(
  { live, screen, log }: Output,
  scenarios: readonly Scenario[],
  plan: Plan,
): { watcher: Watcher; clear: () => void } {
  const { cyan, dim } = screen.colors
  const write = createLogUpdate(process.stderr)
  const start = performance.now()
  let began = start

  const draw = (outcome: Outcome, ...words: string[]): void => {
    const { scenario } = outcome
    const now = performance.now()
    const before = totalMs(plan, scenarios.slice(0, scenarios.indexOf(scenario)))
    const expected = before + Math.min(expectedMs(plan, scenario), now - began)
    const done = Math.min(1, expected / totalMs(plan, scenarios))
    const left = Math.ceil((((now - start) / (done || 1)) * (1 - done)) / 1000)
    const filled = Math.round(done * BAR_LENGTH)
    const bar = cyan('━'.repeat(filled)) + dim('╌'.repeat(BAR_LENGTH - filled))
    const percent = `${Math.round(done * 100)} %`.padStart(5)
    const line = fit([scenario.title, ...words], process.stderr.columns - BAR_LENGTH - percent.length - 22)
    // A late scenario takes longer than estimated: the count does not end at 0.
    const time = dim(left > 5 ? `${left} s left` : 'a few more seconds')
    write(` ${bar} ${percent}  ${line}  ${time}`)
  }
  const watcher: Watcher = {
    scenario: outcome => {
      const { title, cases, arms } = outcome.scenario
      began = performance.now()
      if (live) draw(outcome, 'starting threads')
      else log(`${title}: ${count(cases.length, 'case')}, ${count(arms.length, 'arm')} …`)
    },
    slot: (outcome, cell, round) => {
      if (!live) return
      const rounds = getRounds(plan, outcome.scenario) * plan.processes
      draw(outcome, cell.inCase.title, round === 0 ? 'warm-up' : `round ${round} of ${rounds}`, cell.arm.title)
    },
    done: ({ scenario: { title }, cells }) => {
      if (live) return
      const rounds = Math.max(...cells.map(({ processes }) => processes.flat().length))
      log(`${title}: ${count(rounds, 'round')} in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    },
  }
  return { watcher, clear: () => live && write.clear() }
}

/** Joins as many of the words as there is room for. */
function fit(words: readonly string[], room: number): string {
  const lines = words.map((_, at) => words.slice(0, at + 1).join(' · '))
  return lines.findLast(line => line.length <= room) ?? ''
}
