// Runs a program in base, head and base again, in alternating order. Its figures are what it prints, or with `--cpu` the CPU time of its main thread.
import { sum } from 'd3-array'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { CompareOptions } from '../command/options.js'
import { interleave } from '../run/run.js'
import { medianOfMedians, type Processes } from '../shared/statistics.js'
import { count, UsageError } from '../shared/text.js'
import { type PrintedFigure, readFigures } from './figure-lines.js'
import type { Comparison, Sides } from './judge.js'

type Side = 'base' | 'head' | 'again'
const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

interface ProgramOptions extends Pick<CompareOptions, 'program' | 'runs' | 'cpu'> {
  /** Where each side runs it. */
  directories: { base: string; head: string }
  temporary: string
  signal: AbortSignal
  /** Shows what is measured, and nothing for an empty text. */
  progress(text: string): void
}

export interface Program {
  /** What it prints. */
  figures: readonly string[]
  /** Measures all figures or only some. */
  measure(figures?: readonly string[]): Promise<Sides[]>
}

/**
 * Runs the program once in each side, which says what there is to judge, and fills the caches of the disk.
 *
 * @throws {UsageError} if the program fails in one of the sides, prints no figure, or with `cpu` is not a program of Node.js
 */
export async function openProgram(options: ProgramOptions): Promise<Program> {
  const { directories, runs, progress } = options
  const run = (side: Side): Promise<PrintedFigure[]> =>
    runOnce(options, side === 'head' ? directories.head : directories.base)
  progress('first run of both')
  const start = performance.now()
  const first = [...(await run('base')), ...(await run('head'))]
  let runMs = (performance.now() - start) / 2
  progress('')
  return {
    figures: [...new Set(first.map(({ name }) => name))],
    measure: async figures => {
      const all: Record<Side, PrintedFigure[][]> = { base: [], head: [], again: [] }
      for (let round = 1; round <= runs; round++) {
        const left = Math.ceil(((runs - round + 1) * SIDES.length * runMs) / 1000)
        progress(`${figures ? 'again, ' : ''}round ${round} of ${runs} · ${left} s left`)
        for (const side of interleave(SIDES, SIDES.length, round)) {
          const before = performance.now()
          all[side].push(await run(side))
          runMs = (runMs + performance.now() - before) / 2
        }
      }
      progress('')
      return toSides(all).filter(({ figure }) => !figures || figures.includes(figure))
    },
  }
}

/** A run of the program is a process of the statistics. A name that it prints several times has several rounds. */
function toSides(runs: Record<Side, PrintedFigure[][]>): Sides[] {
  const all = SIDES.flatMap(side => runs[side]).flat()
  const has = (side: Side, figure: string): boolean => runs[side].every(run => run.some(({ name }) => name === figure))
  return [...new Set(all.map(({ name }) => name))].map((figure): Sides => {
    const printed = all.filter(({ name }) => name === figure)
    // `950 kops/s` and `1.1 Mops/s` are no ratio of 864.
    const units = new Set(printed.map(({ unit, better }) => `${unit} (${better} is better)`))
    if (units.size > 1) throw new UsageError(`'${figure}' has several units: ${[...units].join(', ')}. Print one`)
    const { better, unit } = printed[0]!
    const read = (side: Side): Processes =>
      runs[side].map(run => run.filter(({ name }) => name === figure).map(({ value }) => value))
    const isInBase = has('base', figure) && has('again', figure)
    return {
      ...{ figure, better, unit, base: read('base'), head: read('head'), again: read('again') },
      ...(!isInBase && { missing: 'The base does not print this figure in each run' }),
      ...(isInBase && !has('head', figure) && { failed: 'The head does not print this figure in each run' }),
    }
  })
}

async function runOnce({ program, cpu, temporary, signal }: ProgramOptions, cwd: string): Promise<PrintedFigure[]> {
  signal.throwIfAborted()
  const file = join(temporary, 'cpu-time')
  rmSync(file, { force: true })
  const [command, ...args] = program
  const { NODE_OPTIONS = '', ...env } = process.env
  const child = spawn(command, args, {
    ...{ cwd, signal, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] },
    env: {
      ...env,
      NODE_OPTIONS: `${NODE_OPTIONS} --import=${new URL('./cpu-time.js', import.meta.url).href}`.trim(),
      SALLYPORT_BENCH_CPU_FILE: file,
    },
  })
  const [stdout, stderr, code] = await Promise.all([
    readText(child.stdout),
    readText(child.stderr),
    once(child, 'close').then(([exit]) => exit as number | null),
  ]).catch((error: Error) => {
    signal.throwIfAborted()
    throw new UsageError(`'${command}' could not start: ${error.message}`)
  })
  signal.throwIfAborted()
  const shown = `\`${program.join(' ')}\``
  if (code !== 0) throw new UsageError(`${shown} failed in ${cwd} with exit code ${code}:\n${stderr.slice(-2000)}`)
  if (!cpu) {
    const figures = readFigures(stdout)
    if (figures.length > 0) return figures
    const lines = stdout.split('\n').filter(Boolean)
    const begin = lines.slice(0, 5).map(line => `\n  ${line.slice(0, 200)}`)
    throw new UsageError(
      `No figure found in ${count(lines.length, 'line')} of ${shown} in ${cwd}. Print lines \`name value unit\`, or judge its CPU time with --cpu.${begin.join('')}`,
    )
  }
  if (!existsSync(file))
    throw new UsageError(`${shown} is not a program of Node.js, and --cpu knows only their CPU time`)
  const value = sum(readFileSync(file, 'utf8').trim().split('\n'), Number)
  return [{ name: 'CPU time', value, unit: 'µs', better: 'lower' }]
}

/** Names of the files, and of the tools of github-action-benchmark that read them. */
const EXPORTS = { lower: 'customSmallerIsBetter.json', higher: 'customBiggerIsBetter.json' } as const

/** Returns what github-action-benchmark stores of the head: a file for each direction that a figure has. */
export function toExport(sides: readonly Sides[]): Record<string, string> {
  const measured = sides.filter(({ head }) => head.flat().length > 0)
  const files = Object.entries(EXPORTS).flatMap(([direction, file]) => {
    const figures = measured.filter(({ better }) => better === direction)
    const entries = figures.map(({ figure, unit, head }) => ({ name: figure, unit, value: medianOfMedians(head) }))
    return entries.length > 0 ? [[file, `${JSON.stringify(entries, null, 2)}\n`] as const] : []
  })
  return Object.fromEntries(files)
}

interface OpenedBase {
  base: Comparison['base']
  /** Corresponds to the current directory. */
  directory: string
  /** A directory of our own, for as long as the base is open. */
  temporary: string
  /** Removes the directory. It goes with the process, too, in whatever way that ends. */
  close(): void
}

/**
 * Builds a git ref with `command`, or as its files ask.
 *
 * @throws {UsageError} if there is no such base, it cannot be built, or it does not have the current directory
 */
export async function openBase(name: string, command: string | null, signal: AbortSignal): Promise<OpenedBase> {
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-compare-'))
  const close = (): void => {
    process.off('exit', close)
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    spawnSync('git', ['worktree', 'prune'])
  }
  process.on('exit', close)
  try {
    return { ...(await findBase(name, command, join(temporary, 'checkout-of-base'), signal)), temporary, close }
  } catch (error) {
    close()
    // Ctrl-C goes to git as well, which then fails.
    signal.throwIfAborted()
    throw error
  }
}

const git = async (...args: string[]): Promise<string> => (await promisify(execFile)('git', args)).stdout.trim()

async function findBase(
  name: string,
  command: string | null,
  root: string,
  signal: AbortSignal,
): Promise<Pick<OpenedBase, 'base' | 'directory'>> {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory())
    return { base: { name, kind: 'directory' }, directory: resolve(name) }
  const commit = await findCommit(name)
  await git('worktree', 'add', '--detach', '--force', root, commit)
  const [top = '', prefix = ''] = (await git('rev-parse', '--show-toplevel', '--show-prefix')).split('\n')
  for (const directory of new Set([root, join(root, prefix)])) linkSiblings(top, root, directory)
  await prepare(root, command, signal)
  const directory = join(root, prefix)
  if (existsSync(directory)) return { base: { name, kind: 'ref', commit }, directory }
  throw new UsageError(`--base: the base has no ${prefix}. Run the comparison in a directory that it has`)
}

const ADVICE = 'This clone is shallow: fetch more of it first, as with `fetch-depth: 0` of actions/checkout'

/** A checkout of CI has the branches of others as those of `origin` alone. @throws {UsageError} with what git says */
async function findCommit(name: string): Promise<string> {
  const find = (ref: string): Promise<string> => git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`)
  try {
    return await find(name)
  } catch (error) {
    const commit = await find(`origin/${name}`).catch(() => undefined)
    if (commit !== undefined) return commit
    const isShallow = (await git('rev-parse', '--is-shallow-repository').catch(() => '')) === 'true'
    const said = String((error as { stderr?: unknown }).stderr).trim()
    const text = `--base: '${name}' is not a directory or a git ref: ${said}`
    throw new UsageError(isShallow ? `${text}. ${ADVICE}` : text)
  }
}

/** A package of a directory beside the repository, such as `file:../lib`, is beside the checkout, too. */
function linkSiblings(top: string, root: string, directory: string): void {
  const manifest = join(directory, 'package.json')
  if (!existsSync(manifest)) return
  for (const [, path = ''] of readFileSync(manifest, 'utf8').matchAll(/"(?:file|link|portal):(\.\.\/[^"]+)"/g)) {
    const [up, name] = relative(root, resolve(directory, path)).split(sep)
    if (up !== '..' || name === undefined || name === '..') continue
    const link = join(root, '..', name)
    if (!existsSync(link)) symlinkSync(join(top, '..', name), link, 'junction')
  }
}

/** Installs and builds a checkout. @throws {UsageError} if that fails */
export async function prepare(directory: string, command: string | null, signal: AbortSignal): Promise<void> {
  const line = command ?? getPreparation(directory)
  if (line === '') return
  signal.throwIfAborted()
  // Its output goes to stderr, because stdout is for results. It leads a process group, which a signal can end.
  const detached = process.platform !== 'win32'
  const child = spawn(line, { cwd: directory, shell: true, stdio: ['ignore', 2, 2], detached })
  const end = (): void => void (detached ? process.kill(-child.pid!, 'SIGKILL') : child.kill())
  signal.addEventListener('abort', end, { once: true })
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', end)
  signal.throwIfAborted()
  if (code !== 0) throw new UsageError(`--base: \`${line}\` failed in the checkout with exit code ${code}`)
}

type Manifest = { packageManager?: string; scripts?: { build?: string } }

export function getPreparation(directory: string): string {
  const has = (name: string): boolean => existsSync(join(directory, name))
  const manifest = has('package.json') ? readFileSync(join(directory, 'package.json'), 'utf8') : '{}'
  const { packageManager = '', scripts = {} } = JSON.parse(manifest) as Manifest
  // Corepack appends a hash: pnpm@12.21.0+sha512.…
  const [manager] = packageManager.split('+')
  const installs = [
    has('pnpm-lock.yaml') && `npx --yes ${manager || 'pnpm'} install --frozen-lockfile`,
    has('yarn.lock') && `npx --yes ${manager || 'yarn'} install`,
    (has('package-lock.json') || has('npm-shrinkwrap.json')) && 'npm ci',
  ].filter(Boolean)
  return [...installs.slice(0, 1), ...(scripts.build === undefined ? [] : ['npm run build'])].join(' && ')
}
