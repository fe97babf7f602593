// Runs the tests: scripts of many packages with turbo, or one file alone. Packages run at the same time, so nothing of their output is shown while they do.
// vitest.config.ts writes into a file what happens in the tests of each, and that is told here: each failure at once, and every 10 s what runs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const LOOK_MS = 1000
const LOOKS_UNTIL_TOLD = 10
const COLUMNS = 80
/** Of what a task has printed, if it says nothing else. */
const LAST_LINES = 20

const root = fileURLToPath(new URL('../', import.meta.url))
const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }
const started = Date.now()
/** `1:05` after a minute and five seconds. */
export function getTime() {
  const seconds = Math.round((Date.now() - started) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
const say = text => console.log(`${getTime()}  ${text}`)

/** Ends what runs now. */
let end
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    isStopped = true
    end?.(signal)
  })
}
/** Somebody has stopped the run, which then says what it knows. */
export const wasStopped = () => isStopped

/** What happens in the tests of one script of a package. */
export class Report {
  files = []
  current = new Set()
  outside = []
  isOver = false
  failed = 0
  tests = 0
  #path
  #length = 0
  #failures = new Map()

  constructor(path) {
    this.#path = path
  }

  /** Returns the events that are new. */
  read() {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
    const whole = text.slice(this.#length, text.lastIndexOf('\n') + 1)
    this.#length += whole.length
    const events = whole
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
    for (const event of events) this.#add(event)
    return events
  }

  #add(event) {
    const { type, file, project, test, errors } = event
    const key = `${project} ${file}`
    const failures = this.#failures.get(key) ?? []
    if (type === 'start') this.current.add(file)
    if (type === 'failure') {
      this.failed++
      this.#failures.set(key, [...failures, { test, errors }])
    }
    if (type === 'end') {
      this.current.delete(file)
      this.tests += event.passed + event.failed + event.skipped
      this.files.push({ ...event, failures })
    }
    if (type === 'over') Object.assign(this, { isOver: true, outside: errors })
  }
}

/** What turbo's tasks print, by task, and which of them failed. */
class Output {
  /** Turbo says nothing at the end of a build, but runs few at a time. */
  builds = []
  failed = []
  errors = []
  #lines = {}

  add(line) {
    const { source, level, text } = line.startsWith('{')
      ? JSON.parse(line)
      : { source: 'turbo', level: 'error', text: line }
    if (level === 'error') this.errors.push(text)
    const [, failed] = (source === 'turbo' && /^Failed: +(.*)/.exec(text)) || []
    if (failed) this.failed = failed.split(', ')
    if (source === 'turbo' || !text.trim()) return
    if (text.startsWith('cache miss') && source.endsWith('#build')) this.builds.push(source.replace(/^@.*\/|#.*/g, ''))
    this.#lines[source] = [...(this.#lines[source] ?? []), text].slice(-LAST_LINES)
  }

  getEnd = task => (this.#lines[task] ?? []).join('\n')
}

function describeNow(runs, { builds }) {
  const sum = get => runs.reduce((total, { report }) => total + get(report), 0)
  const now = runs.flatMap(({ directory, report }) =>
    [...report.current].map(file => `${directory.split('/').at(-1)}/${file}`),
  )
  const tests = sum(report => report.tests)
  if (now.length === 0 && tests === 0) return `builds ${builds.slice(-2).join(', ') || 'nothing yet'}`
  const failed = sum(report => report.failed)
  const next = now.join(', ') || 'the next package starts'
  return `${tests} tests in ${sum(report => report.files.length)} files${failed ? `, ${failed} FAILED` : ''}; ${next}`
}

/**
 * @param runs - `{ directory, report }` of each script of a package
 * @param args - turbo's
 * @returns its exit code, and what its tasks have printed
 */
export async function runAll(runs, args) {
  const output = new Output()
  const child = spawn('turbo', ['run', '--json', ...args], {
    cwd: root,
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  end = signal => {
    say('Stops what runs')
    child.kill(signal)
  }
  createInterface({ input: child.stderr }).on('line', line => output.errors.push(line))
  createInterface({ input: child.stdout }).on('line', line => output.add(line))
  let looks = 0
  const look = () => {
    for (const { directory, report } of runs)
      for (const { type, file, test } of report.read())
        if (type === 'failure') say(`FAILED ${directory}/${file} > ${test}`)
    if (++looks % LOOKS_UNTIL_TOLD === 0) say(describeNow(runs, output).slice(0, COLUMNS - 6))
  }
  const timer = setInterval(look, LOOK_MS)
  const [status] = await once(child, 'close').catch(error => [output.errors.push(error.message)])
  clearInterval(timer)
  look()
  end = undefined
  return { status: status ?? 1, output }
}

/** The command that does the same as `runAlone`, at the root. */
export const toCommand = ({ directory, project, file }) =>
  `(cd ${directory} && npx vitest run --project ${project} ${file.slice(directory.length + 1)})`

/** @returns whether the file passes before the time is over */
export async function runAlone({ directory, project, file }, ms) {
  const args = ['run', '--project', project, '--maxWorkers=1', file.slice(directory.length + 1)]
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: join(root, directory),
    env: { ...env, npm_lifecycle_event: 'alone' },
    stdio: 'ignore',
    // Its own processes end with it.
    detached: process.platform !== 'win32',
  })
  end = () => {
    try {
      if (process.platform === 'win32') child.kill()
      else process.kill(-Number(child.pid), 'SIGKILL')
    } catch {} // It has ended.
  }
  const timer = setTimeout(end, ms)
  const [status] = await once(child, 'close')
  clearTimeout(timer)
  end = undefined
  return status === 0
}
