// Deno in the place of Node: it checks each operation of a process in Rust, against permissions that are the grants of the sandbox. In-process checks,
// and not the kernel's, but the same on each system.
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { checkOptions } from '@sallyport/protocol/internal/errors'
import {
  CHECKS,
  type Launch,
  type Launcher,
  LauncherUnavailable,
  type LaunchInfo,
  tryCommand,
  unavailable,
} from './launcher.js'
import { readManifest } from '../permission-model/grants.js'
import { findOutwardLinks } from '../permission-model/links.js'
import { findProgram } from './programs.js'

/** Options of `deno`. */
export interface DenoOptions {
  /** Path or name of the program. By default that of the package `deno` of the application, and else `deno` in `PATH`. */
  readonly deno?: string
  /** A launcher that starts Deno: `await bubblewrap()`, whose wall then holds code that has left Deno. */
  readonly inside?: Launcher
}

const NAME = 'deno'
/** The oldest minor version that is tested. */
const LEAST = [2, 9] as const
const INSTALL = 'Install it in the application (npm install deno), or pass its path as "deno"'

/**
 * Starts processes with [Deno](https://deno.com) 2.9 or later instead of Node.js (Linux with glibc, macOS, Windows). It runs files, but no code
 * as text and no scripts, and holds none of `memory`, `cpu`, `pids` and `tmp`.
 *
 * @throws {LauncherUnavailable} if Deno is missing, or too old
 * @throws {BusError} InvalidParams for an invalid option
 */
export async function deno(options: DenoOptions = {}): Promise<Launcher> {
  checkOptions(NAME, options, { deno: CHECKS.program, inside: CHECKS.inside })
  const { deno: program, inside } = options
  const found = program === undefined ? (findDependency() ?? findProgram(NAME)) : findProgram(program)
  if (found === undefined && program === undefined)
    throw unavailable(NAME, `it is not in PATH, and ${noDependency()}`, INSTALL)
  if (found === undefined) throw unavailable(NAME, `${program} was not found`, INSTALL)
  await checkVersion(found)
  const libraries = inside ? await listLibraries(found) : []
  // Without a directory of its own, Deno keeps `localStorage` and caches in the home directory, for all plugins. Nothing can be below a file.
  const env = { DENO_DIR: join(found, 'none'), NO_COLOR: '1' }
  const name = inside ? `${NAME} in ${inside.name}` : NAME
  return {
    name,
    closesNetwork: true,
    bindsWrites: inside?.bindsWrites ?? true,
    isElsewhere: inside?.isElsewhere ?? false,
    holds: inside?.holds ?? [],
    launch(_node, nodeArgs, info): Launch {
      const args = ['run', ...FLAGS, ...getPermissions(info), ...toV8Flags(nodeArgs), info.program.entry]
      if (!inside) return { command: found, args, env }
      const reads = { ...info.reads, files: [...info.reads.files, found, ...libraries] }
      const launch = inside.launch(found, args, { ...info, reads })
      return { ...launch, env: { ...launch.env, ...env } }
    },
  }
}

/** The launcher of an application that depends on the package `deno`: what happens to be in `PATH` must not change the engine of plugins. */
export async function denoOfApplication(): Promise<Launcher> {
  const found = findDependency()
  if (found === undefined) throw unavailable(NAME, noDependency(), 'Install it there (npm install deno)')
  return deno({ deno: found })
}

/** The directory of the main module. Code without a file, as that of `node -e`, imports from the working directory. */
function mainDirectory(main: string | undefined = process.argv[1]): string {
  const directory = main !== undefined && isAbsolute(main) ? dirname(main) : process.cwd()
  // A command that is installed there, such as `sallyport`, belongs to the application around it.
  return directory.endsWith(join('node_modules', '.bin')) ? dirname(dirname(directory)) : directory
}

const noDependency = (): string =>
  `the package deno for ${process.platform}-${process.arch} is not installed in ${mainDirectory()} or above it`

/**
 * Returns the program in the optional dependency of the application's package `deno`, whose install script need not have run.
 *
 * @param main - the main module of the application
 */
export function findDependency(main?: string): string | undefined {
  for (let directory = mainDirectory(main); ; directory = dirname(directory)) {
    if (!directory.split(sep).includes('node_modules') && dependsOnDeno(directory)) return resolveProgram(directory)
    if (dirname(directory) === directory) return undefined
  }
}

function dependsOnDeno(directory: string): boolean {
  const { dependencies, devDependencies, optionalDependencies } = readManifest(directory)
  const kinds = [dependencies, devDependencies, optionalDependencies]
  return kinds.some(kind => Object.hasOwn(Object(kind), NAME))
}

function resolveProgram(directory: string): string | undefined {
  const { platform, arch } = process
  try {
    const own = createRequire(join(directory, 'package.json')).resolve('deno/package.json')
    const system = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}/package.json`
    return findProgram(join(dirname(createRequire(own).resolve(system)), platform === 'win32' ? 'deno.exe' : NAME))
  } catch {
    return undefined
  }
}

/** @throws {LauncherUnavailable} */
async function checkVersion(program: string): Promise<void> {
  const { status, stdout, failure } = await tryCommand({ command: program, args: ['--version'] })
  const [, version, major, minor] = /^deno ((\d+)\.(\d+)\.\S+)/.exec(stdout) ?? []
  if (version === undefined) {
    const why = status === 0 ? 'is not Deno' : `could not be started: ${failure.slice(0, 500)}`
    throw unavailable(NAME, `${program} ${why}`, INSTALL)
  }
  const isOld = Number(major) < LEAST[0] || (Number(major) === LEAST[0] && Number(minor) < LEAST[1])
  if (isOld) throw unavailable(NAME, `${program} has version ${version}`, `Update it to ${LEAST.join('.')} or later`)
}

/** Returns the libraries of the program: a wall shows nothing else. */
async function listLibraries(program: string): Promise<string[]> {
  // The loader of glibc prints them instead of starting the program.
  const { stdout } = await tryCommand({ command: program, args: [], env: { LD_TRACE_LOADED_OBJECTS: '1' } })
  return [...new Set(stdout.match(/\/\S+\.so\S*/g))]
}

const FLAGS: readonly string[] = [
  ...['--quiet', '--no-prompt', '--no-config', '--no-lock', '--no-remote', '--cached-only', '--no-code-cache'],
  ...['--node-modules-dir=manual', '--conditions=sallyport-process'],
  // Its environment has nothing but the time zone once it has started.
  '--allow-env',
  // What libraries ask for, and what names no user, host or address.
  '--allow-sys=cpus,osRelease,systemMemoryInfo,loadavg,osUptime',
]

/** @throws {LauncherUnavailable} */
function getPermissions({ reads, writes, net, limits }: LaunchInfo): string[] {
  const temporary = limits.tmp === undefined ? [] : ['/tmp']
  const join = (paths: readonly string[]): string => {
    const path = paths.find(each => each.includes(','))
    if (path !== undefined)
      throw unavailable(NAME, `it cannot grant ${path}, which has a comma`, 'Use a path without one')
    return paths.join(',')
  }
  const written = join([...writes, ...temporary])
  const links = join(findOutwardLinks(reads).map(({ path }) => path))
  return [
    ...(links === '' ? [] : [`--deny-read=${links}`]),
    `--allow-read=${join([...reads.directories, ...reads.files, ...writes, ...temporary])}`,
    ...(written === '' ? [] : [`--allow-write=${written}`]),
    ...(net ? ['--allow-net'] : []),
  ]
}

export const NO_TEXT =
  'deno runs neither code as text nor scripts. Use a file below a directory whose node_modules has @sallyport/frontend, or another wall'

const V8_FLAG = /^--(?:max-old-space-size|max-semi-space-size|stack-size)=/
/** Flags of Node that code as text and scripts need. */
const NODE_FLAG = /^--(?:experimental-vm-modules$|wasm-tiering-budget=)/

/** @throws {LauncherUnavailable} for code that Deno does not run */
function toV8Flags(nodeArgs: readonly string[]): string[] {
  if (nodeArgs.some(arg => NODE_FLAG.test(arg))) {
    throw new LauncherUnavailable(NO_TEXT)
  }
  const flags = nodeArgs.filter(arg => V8_FLAG.test(arg))
  return flags.length > 0 ? [`--v8-flags=${flags.join(',')}`] : []
}
