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
  outside = []
  isOver = false
  #path
  #length = 0
  #files = new Map()

  constructor(path) {
    this.#path = path
  }

  /** Those that have begun. */
  get files() {
    return [...this.#files.values()]
  }

  get running() {
    return this.files.filter(({ type }) => type !== 'end').map(({ file }) => file)
  }

  /** Returns the failures that are new. */
  read() {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
    const whole = text.slice(this.#length, text.lastIndexOf('\n') + 1)
    this.#length += whole.length
    const events = whole
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
    for (const event of events) this.#add(event)
    return events.filter(({ type }) => type === 'failure')
  }

  #add(event) {
    const { type, file, project, test, errors } = event
    const key = `${project} ${file}`
    if (type === 'start') this.#files.set(key, { ...event, passed: 0, failed: 0, skipped: 0, ms: 0, failures: [] })
    else if (type === 'failure') this.#files.get(key).failures.push({ test, errors })
    else if (type === 'end') Object.assign(this.#files.get(key), event)
    else Object.assign(this, { isOver: true, outside: errors })
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
  const running = runs.flatMap(({ directory, report }) =>
    report.running.map(file => `${directory.split('/').at(-1)}/${file}`),
  )
  const files = runs.flatMap(({ report }) => report.files)
  if (files.length === 0) return builds.length > 0 ? `builds ${builds.slice(-2).join(', ')}` : 'starts'
  const [tests, failed] = files.reduce(
    (sum, each) => [sum[0] + each.passed + each.failed + each.skipped, sum[1] + each.failures.length],
    [0, 0],
  )
  const done = `${tests} tests in ${files.length - running.length} files${failed ? `, ${failed} FAILED` : ''}`
  return `${done}; ${running.join(', ') || 'the next package starts'}`
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
      for (const { file, test } of report.read()) say(`FAILED ${directory}/${file} > ${test}`)
    if (++looks % LOOKS_UNTIL_TOLD === 0) say(describeNow(runs, output).slice(0, COLUMNS - 6))
  }
  const timer = setInterval(look, LOOK_MS)
  const [status] = await once(child, 'close').catch(error => [output.errors.push(error.message)])
  clearInterval(timer)
  look()
  end = undefined
  return { status: status ?? 1, output }
}

/** Not each package has projects. */
const getArgs = ({ directory, project, file }) => [
  'run',
  ...(project ? ['--project', project] : []),
  file.slice(directory.length + 1),
]

/** The command that does the same as `runAlone`, at the root. */
export const toCommand = each => `(cd ${each.directory} && npx vitest ${getArgs(each).join(' ')})`

/** @returns whether the file passes before the time is over */
export async function runAlone(each, ms) {
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...getArgs(each),
    '--maxWorkers=1',
    '--passWithNoTests=false',
  ]
  const child = spawn(process.execPath, args, {
    cwd: join(root, each.directory),
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
  const [status] = await once(child, 'close').catch(() => [1])
  clearTimeout(timer)
  end = undefined
  return status === 0
}
