// Judges mutants: each runs the files of tests that reach it, those that reach little and are quick first, until one fails.
import { createHash } from 'node:crypto'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { choose, instrument, listPackages } from './instrument.mjs'

const MIN_TIMEOUT_MS = 60_000
/** After so many batches that hang, the rest is not tried. */
const MAX_LATE = 2
/** How Vitest's JSON report has a time limit. */
const LATE = /^(?:Error: )?(?:(?:Test|Hook) timed out in|STACK_TRACE_ERROR)/
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

export class Mutants {
  #folder
  #switches
  /** Files of tests by the number of a mutant, the best ones first. */
  #tests = new Map()
  #durations = new Map()
  #costs = new Map()

  constructor(folder) {
    this.#folder = folder
  }

  /**
   * Makes the copy, unless it is there for this state of the tree, and runs all tests once, to see which mutants each reaches. That takes a quarter of an
   * hour, and is kept for each commit, package by package: what was interrupted goes on.
   */
  async prepare(root, log) {
    const diff = git(root, 'diff', 'HEAD')
    const suffix = diff && `-${createHash('sha256').update(diff).digest('hex').slice(0, 12)}`
    const state = git(root, 'rev-parse', 'HEAD').trim() + suffix
    const stamp = join(this.#folder, 'mutants.state')
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
      log('All mutants are built into a copy')
      await instrument(root, this.#folder)
      writeFileSync(stamp, state)
    }
    const kept = join(root, 'node_modules/.cache/mutants', state)
    mkdirSync(kept, { recursive: true })
    for (const path of listPackages(this.#folder)) {
      const file = join(kept, `${path.replace('/', '-')}.json`)
      if (!existsSync(file)) {
        log(`The tests of ${path} run once, to see which mutants each reaches`)
        writeFileSync(file, JSON.stringify(this.#countHits(path, log)))
      }
      this.#addReach(readJson(file))
    }
    this.#sort()
    const { mutants, switches } = readJson(join(this.#folder, 'mutants.json'))
    this.#switches = switches
    return mutants
  }

  /** Returns the files of tests that pass, each with its duration and the mutants that it reaches: one that fails without a mutant kills none. */
  #countHits(path, log) {
    const hits = join(this.#folder, 'hits')
    const report = join(this.#folder, path, 'test-report.hits.json')
    for (const each of [hits, report]) rmSync(each, { recursive: true, force: true })
    mkdirSync(hits)
    const args = [this.#vitest, 'run', ...this.#getProjects(path), '--isolate', ...toReport('hits')]
    spawnSync(process.execPath, args, {
      cwd: join(this.#folder, path),
      stdio: 'ignore',
      env: { ...env('hits'), SALLYPORT_HITS: hits },
    })
    if (!existsSync(report)) throw new Error(`The tests of ${path} did not run`)
    const reached = new Map(
      readdirSync(hits).map(each => {
        const { testPath, reached: keys } = readJson(join(hits, each))
        return [testPath, keys]
      }),
    )
    const { testResults } = readJson(report)
    const passed = testResults.filter(({ status }) => status === 'passed')
    for (const { name } of testResults.filter(({ status }) => status === 'failed'))
      log(`fails without a mutant: ${relative(this.#folder, name)}`)
    return passed.map(({ name, startTime, endTime }) => ({
      file: relative(this.#folder, name),
      ms: endTime - startTime,
      reached: reached.get(name) ?? [],
    }))
  }

  #addReach(files) {
    for (const { file, ms, reached } of files) {
      this.#durations.set(file, ms)
      this.#costs.set(file, reached.length + ms / 10)
      for (const key of reached) {
        if (!this.#tests.has(key - 1)) this.#tests.set(key - 1, [])
        this.#tests.get(key - 1).push(file)
      }
    }
  }

  #sort() {
    const cost = file => this.#costs.get(file)
    for (const files of this.#tests.values()) files.sort((a, b) => cost(a) - cost(b))
  }

  get #vitest() {
    return join(this.#folder, 'node_modules/vitest/vitest.mjs')
  }

  /** Leaves out the project `browser`, which repeats the unit tests. */
  #getProjects(path) {
    const { scripts } = readJson(join(this.#folder, path, 'package.json'))
    return scripts.test.includes('--project') ? ['--project', 'unit', '--project', 'workers'] : []
  }

  /**
   * @param seconds - of tests at most
   * @returns `{ outcome: 'killed' | 'survived' | 'not reached' | 'out of time', by, tried, files }`; `out of time`: a test hangs, and does not say what is wrong
   */
  async judge({ id, file }, seconds = Infinity) {
    const own = file.split('/').slice(0, 2).join('/')
    const reaching = this.#tests.get(id) ?? []
    const beside = path => path === file.replace(/ts$/, 'test.ts')
    const paths = [...reaching.filter(beside), ...reaching.filter(path => !beside(path))]
    if (paths.length === 0) return { outcome: 'not reached', files: 0 }
    choose(this.#folder, this.#switches, id)
    try {
      let left = seconds * 1000
      const chosen = paths.filter((path, index) => index === 0 || (left -= this.#durations.get(path)) > 0)
      const files = paths.length
      const late = []
      for (const batch of this.#toBatches(chosen, own)) {
        const { by, isLate } = await this.#run(batch)
        if (by && !isLate) return { outcome: 'killed', by, files }
        if (by) late.push(by)
        if (late.length === MAX_LATE) break
      }
      if (late.length > 0) return { outcome: 'out of time', by: late[0], files }
      return { outcome: 'survived', files, tried: chosen.length }
    } finally {
      choose(this.#folder, this.#switches, undefined)
    }
  }

  /** The start of vitest takes seconds: files of one package run together, the best three of the mutant's own package first. */
  #toBatches(paths, own) {
    const packageOf = path => path.split('/').slice(0, 2).join('/')
    const names = [...new Set([own, ...paths.map(packageOf)])]
    const batches = names.map(name => ({ cwd: name, paths: paths.filter(path => packageOf(path) === name) }))
    const best = batches[0].paths.splice(0, 3)
    return [{ cwd: own, paths: best }, ...batches].filter(batch => batch.paths.length > 0)
  }

  async #run({ cwd, paths }) {
    const report = join(this.#folder, cwd, 'test-report.mutant.json')
    rmSync(report, { force: true })
    const expected = paths.reduce((sum, path) => sum + this.#durations.get(path), 0)
    const files = paths.map(path => join(this.#folder, path))
    const args = [this.#vitest, 'run', ...this.#getProjects(cwd), '--bail=1', ...toReport('mutant'), ...files]
    const timeout = Math.ceil(MIN_TIMEOUT_MS + 5 * expected)
    const options = { cwd: join(this.#folder, cwd), stdio: 'ignore', detached: true, env: env('mutant') }
    const child = spawn(process.execPath, args, options)
    // Vitest's own processes, too: one that never ends would run on.
    const kill = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {}
    }
    const timer = setTimeout(kill, timeout)
    process.once('exit', kill)
    const [status] = await once(child, 'exit')
    process.off('exit', kill)
    clearTimeout(timer)
    kill()
    if (status === 0) return {}
    if (!existsSync(report)) return status === null ? { by: 'no end', isLate: true } : { by: 'the start of the tests' }
    const failed = readJson(report).testResults.find(each => each.status === 'failed')
    if (!failed) return { by: 'what fails outside of the tests' }
    const test = failed.assertionResults.find(each => each.status === 'failed')
    const message = test?.failureMessages[0] ?? failed.message
    const by = `${relative(this.#folder, failed.name)} > ${test?.fullName ?? 'the whole file'}`
    return { by, isLate: LATE.test(message) }
  }
}

/** The copy is built, and must not be again. */
const env = script => ({ ...process.env, TURBO_HASH: 'mutants', npm_lifecycle_event: script })
const toReport = word => ['--reporter=json', `--outputFile=test-report.${word}.json`]
const git = (root, ...args) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 28 }).toString()
