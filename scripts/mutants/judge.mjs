// Judges mutants: each runs the files of tests that reach it, those that reach little and are quick first, until one fails.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { choose, instrument, listPackages } from './instrument.mjs'

const MIN_TIMEOUT_MS = 60_000
/** After so many batches that hang, the rest is not tried. */
const MAX_SILENT = 2
/** How Vitest's JSON report has a time limit. */
const SILENT = /^(?:Error: )?(?:(?:Test|Hook) timed out in|STACK_TRACE_ERROR)/
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

export class Mutants {
  #folder
  #switches
  /** Files of tests by the number of a mutant, the best ones first. */
  #tests = new Map()
  #durations = new Map()

  constructor(folder) {
    this.#folder = folder
  }

  /** Makes the copy, unless it is there for this state of the tree, and counts once which tests reach which mutants. */
  async prepare(root, log) {
    const state = JSON.stringify(git(root, 'rev-parse', 'HEAD') + git(root, 'diff', 'HEAD'))
    const stamp = join(this.#folder, 'mutants.state.json')
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
      log('All mutants are built into a copy')
      await instrument(root, this.#folder)
      log('The tests run once, to see which mutants each reaches')
      this.#countHits()
      writeFileSync(stamp, state)
    }
    return this.load()
  }

  load() {
    const { mutants, switches } = readJson(join(this.#folder, 'mutants.json'))
    this.#switches = switches
    this.#readHits()
    return mutants
  }

  #countHits() {
    const hits = join(this.#folder, 'hits')
    rmSync(hits, { recursive: true, force: true })
    mkdirSync(hits)
    for (const path of listPackages(this.#folder)) {
      const args = [this.#vitest, 'run', ...this.#getProjects(path), '--isolate', ...toReport('hits')]
      spawnSync(process.execPath, args, {
        cwd: join(this.#folder, path),
        stdio: 'ignore',
        env: { ...env('hits'), SALLYPORT_HITS: hits },
      })
    }
  }

  #readHits() {
    for (const path of listPackages(this.#folder)) {
      const report = join(this.#folder, path, 'test-report.hits.json')
      if (!existsSync(report)) throw new Error(`The tests of ${path} did not run`)
      for (const { name, status, startTime, endTime } of readJson(report).testResults)
        // One that fails without a mutant kills none.
        if (status === 'passed') this.#durations.set(name, endTime - startTime)
    }
    const reached = new Map()
    const hits = join(this.#folder, 'hits')
    for (const each of readdirSync(hits)) {
      const { testPath, reached: keys } = readJson(join(hits, each))
      if (!this.#durations.has(testPath)) continue
      reached.set(testPath, keys.length)
      for (const key of keys) {
        if (!this.#tests.has(key - 1)) this.#tests.set(key - 1, [])
        this.#tests.get(key - 1).push(testPath)
      }
    }
    const cost = path => reached.get(path) + this.#durations.get(path) / 10
    for (const [id, paths] of this.#tests)
      this.#tests.set(
        id,
        paths.toSorted((a, b) => cost(a) - cost(b)),
      )
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
   * @returns `{ outcome: 'killed' | 'survived' | 'not reached' | 'silent', by, files }`; `silent`: a test hangs, and does not say what is wrong
   */
  async judge({ id, file }, seconds = Infinity) {
    const own = file.split('/').slice(0, 2).join('/')
    const reaching = this.#tests.get(id) ?? []
    const beside = path => path.endsWith(`/${file.replace(/ts$/, 'test.ts')}`)
    const paths = [...reaching.filter(beside), ...reaching.filter(path => !beside(path))]
    if (paths.length === 0) return { outcome: 'not reached', files: 0 }
    choose(this.#folder, this.#switches, id)
    try {
      let left = seconds * 1000
      const chosen = paths.filter((path, index) => index === 0 || (left -= this.#durations.get(path)) > 0)
      let silent = 0
      for (const batch of this.#toBatches(chosen, own)) {
        const { by, isSilent } = await this.#run(batch)
        const outcome = isSilent ? 'silent' : 'killed'
        if (by && !(isSilent && ++silent < MAX_SILENT)) return { outcome, by, files: paths.length }
      }
      if (silent > 0) return { outcome: 'silent', files: paths.length }
      return { outcome: 'survived', files: paths.length, tried: chosen.length }
    } finally {
      choose(this.#folder, this.#switches, undefined)
    }
  }

  /** The start of vitest takes seconds: files of one package run together, first few, then more. */
  #toBatches(paths, own) {
    const packageOf = path => relative(this.#folder, path).split('/').slice(0, 2).join('/')
    const names = [...new Set([own, ...paths.map(packageOf)])]
    return names.flatMap(name => {
      const all = paths.filter(path => packageOf(path) === name)
      const batches = []
      for (let size = 3; all.length > 0; size *= 3) batches.push({ cwd: name, paths: all.splice(0, size) })
      return batches
    })
  }

  async #run({ cwd, paths }) {
    const report = join(this.#folder, cwd, 'test-report.mutant.json')
    rmSync(report, { force: true })
    const expected = paths.reduce((sum, path) => sum + this.#durations.get(path), 0)
    const args = [this.#vitest, 'run', ...this.#getProjects(cwd), '--bail=1', ...toReport('mutant'), ...paths]
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
    if (!existsSync(report))
      return status === null ? { by: 'no end', isSilent: true } : { by: 'the start of the tests' }
    const failed = readJson(report).testResults.find(each => each.status === 'failed')
    if (!failed) return { by: 'what fails outside of the tests' }
    const test = failed.assertionResults.find(each => each.status === 'failed')
    const message = test?.failureMessages[0] ?? failed.message
    const by = `${relative(this.#folder, failed.name)} > ${test?.fullName ?? 'the whole file'}`
    return { by, isSilent: SILENT.test(message) }
  }
}

/** The copy is built, and must not be again. */
const env = script => ({ ...process.env, TURBO_HASH: 'mutants', npm_lifecycle_event: script })
const toReport = word => ['--reporter=json', `--outputFile=test-report.${word}.json`]
const git = (root, ...args) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 28 }).toString()
