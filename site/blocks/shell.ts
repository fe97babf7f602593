// Looks at the commands of a shell block: scripts, programs and packages have to exist, and the options of our own programs
// as well. Nothing is run but `--help`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, type Block } from './markdown.js'

/** Programs that the reader has, or installs separately. */
const OTHERS = [
  'apt-get',
  'cat',
  'cd',
  'chmod',
  'corepack',
  'cp',
  'curl',
  'docker',
  'esbuild',
  'export',
  'gh',
  'git',
  'mkdir',
  'nats',
  'rm',
  'tar',
]
const NPM = ['ci', 'init', 'pack', 'view', 'audit', 'create', 'exec', 'explain', 'ls', 'start', 'test']

const json = (path: string): Record<string, Record<string, string>> =>
  JSON.parse(readFileSync(join(root, path), 'utf8'))
const workspaces = ['packages', 'extensions', 'examples', 'tests']
  .flatMap(directory => readdirSync(join(root, directory)).map(name => `${directory}/${name}/package.json`))
  .concat('site/package.json', 'package.json')
  .filter(path => existsSync(join(root, path)))
  .map(json)
const scripts = new Set(workspaces.flatMap(({ scripts = {} }) => Object.keys(scripts)))
const names = new Set(
  workspaces.flatMap(({ name, dependencies = {}, devDependencies = {}, peerDependencies = {} }) => [
    String(name),
    ...Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }),
  ]),
)
const ours: Record<string, string> = {
  sallyport: 'packages/core/dist/bundle/cli.js',
  'sallyport-bench': 'packages/bench/dist/cli.js',
  'sallyport-compare': 'extensions/compare/dist/cli.js',
}

/** A clone of this repository, for the reader. */
const CLONE = '../sallyport'

/** Without a version: `@sallyport/core@1` is `@sallyport/core`. */
const toName = (spec: string): string => spec.replace(/(?<=.)@[^/]*$/, '')

/**
 * @param files - names of files in the page
 * @returns the mistakes of the block, each as a line
 */
export function findShellMistakes({ code, page, line }: Block, files: ReadonlySet<string>): string[] {
  const lines = code.replaceAll('\\\n', ' ').split('\n')
  return lines.flatMap((text, index) =>
    text
      .replace(/(^|\s)#.*$/, '')
      .split(/&&|\|\|?|;/)
      .map(part =>
        part
          .trim()
          .replace(/^\$ /, '')
          .replace(/^(?:[A-Z_]+=\S*\s+)+/, ''),
      )
      .filter(Boolean)
      .map(part => mistakeIn(part.split(/\s+/), files))
      .filter(mistake => mistake !== undefined)
      .map(mistake => `${page}:${line + index}: ${mistake}`),
  )
}

function mistakeIn([program = '', ...args]: string[], files: ReadonlySet<string>): string | undefined {
  const [first = '', ...rest] = args
  if (OTHERS.includes(program)) return undefined
  if (program === 'npm' && first === '--prefix') return mistakeInClone(rest)
  if (program === 'npm' && first === 'run') return scripts.has(rest[0]!) ? undefined : `no script ${rest[0]}`
  if (/^(npm|pnpm|yarn|bun)$/.test(program) && /^(install|i|add)$/.test(first)) return missingPackage(rest)
  if (/^p?npm$/.test(program)) return NPM.includes(first) ? undefined : `is there a command ${program} ${first}?`
  if (program === 'npx') return mistakeInNpx(args, files)
  if (program in ours) return mistakeInOptions(program, args)
  if (/^(node|bun|deno)$/.test(program)) return mistakeInFile(args, files)
  return existsSync(join(root, program)) ? undefined : `no program ${program}`
}

/** A command in the clone that is next to the reader's project: `npm --prefix ../sallyport run bench -- list`. */
function mistakeInClone([directory = '', ...args]: string[]): string | undefined {
  if (directory !== CLONE) return `npm --prefix ${directory} is not ${CLONE}`
  const [, script = '', , ...rest] = args
  return script === 'bench' ? mistakeInOptions('sallyport-bench', rest) : mistakeIn(['npm', ...args], new Set())
}

function missingPackage(args: string[]): string | undefined {
  const dead = args.find(arg => arg.startsWith(`${CLONE}/`) && !existsSync(join(root, arg.slice(CLONE.length))))
  if (dead !== undefined) return `no directory ${dead}`
  const bare = args.filter(arg => !/^[-.]/.test(arg)).map(toName)
  const missing = bare.filter(name => !names.has(name))
  return missing.length > 0
    ? `nothing here uses ${missing.join(', ')}: a package.json of the workspace names what the docs name`
    : undefined
}

/** `npx -p node@24 node x.js` is `node x.js`. Readers have installed `@sallyport/core`, but not the packages of the other commands. */
function mistakeInNpx(args: string[], files: ReadonlySet<string>): string | undefined {
  const start = args.findIndex((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-p')
  const [program = '', ...rest] = args.slice(start)
  const name = program.replace(/^sallyport-/, '@sallyport/')
  if (program in ours && name !== program && !args.slice(0, start).includes(name))
    return `npx fetches a package named ${program}: write npx -p ${name} ${program}`
  if (program in ours || program === 'node') return mistakeIn([program, ...rest], files)
  const dependency = toName(program)
  return names.has(dependency) || existsSync(join(root, 'node_modules/.bin', dependency))
    ? undefined
    : `no program ${program}`
}

function mistakeInOptions(program: string, args: string[]): string | undefined {
  const command = program === 'sallyport' ? args[0] : ''
  const known = new Set(getHelp(program, command).split(/[\s,]+/))
  // What follows a bare `--` belongs to another program.
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  const options = own.filter(arg => arg.startsWith('--')).map(arg => arg.split('=')[0]!)
  const unknown = options.filter(option => !known.has(option))
  return unknown.length > 0 ? `${program} has no option ${unknown.join(', ')}` : undefined
}

const helps = new Map<string, string>()

function getHelp(program: string, command = ''): string {
  const key = `${program} ${command}`
  const ask = [join(root, ours[program]!), ...(command ? [command] : []), '--help']
  if (!helps.has(key)) helps.set(key, execFileSync(process.execPath, ask, { encoding: 'utf8' }))
  return helps.get(key)!
}

function mistakeInFile(args: string[], files: ReadonlySet<string>): string | undefined {
  const file = args.find(arg => /\.[mc]?[jt]s$/.test(arg))
  if (file === undefined || files.has(file) || existsSync(join(root, file))) return undefined
  return `no file ${file} on this page or in the repository`
}
