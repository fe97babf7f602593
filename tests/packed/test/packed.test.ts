// Packs the packages and installs them with npm into an empty directory. The README's example, and each pattern and sandbox,
// must run there. scripts/layouts.mjs does so with other package managers.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../scripts/testing.js'
import { getExpected } from '../../../scripts/packed/expected.mjs'
import { PACKAGES, PROGRAMS, pack } from '../../../scripts/packed/pack.mjs'
import { startRegistry } from '../../../scripts/packed/registry.mjs'
import { getBlocks } from '../../../site/blocks/markdown.js'
import { getPrograms } from '../../../site/blocks/programs.js'
import { findProgramMistakes, findTypeMistakes } from './types.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const shell = process.platform === 'win32'
const run = promisify(execFile)
/** Limits of the unpacked sizes. Two thirds are source maps. */
const MEGABYTES: Record<string, number> = {
  protocol: 1.2,
  // With the one file that a process loads.
  frontend: 0.93,
  isolation: 1.5,
  paths: 0.3,
  process: 0.75,
  quickjs: 0.5,
  'quickjs-images': 0.5,
  inspector: 0.8,
  core: 4.5,
  nats: 0.8,
  'tauri-plugins': 0.8,
  'plugin-host': 0.3,
  // With the command that wraps other servers.
  mcp: 0.45,
  'code-mode': 0.2,
  web: 0.6,
  compare: 0.3,
  bench: 1.5,
}
let directory: string
let registry: Awaited<ReturnType<typeof startRegistry>>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-packed-'))
  const tarballs = await pack(join(directory, 'tarballs'))
  registry = await startRegistry(tarballs)
  await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: directory, shell })
}, 180_000)

afterAll(async () => {
  registry.close()
  await rm(directory, { recursive: true, force: true })
})

describe('each package', () => {
  const getPlace = (name: string) => join(directory, 'node_modules/@sallyport', name)

  test('contains only built files, and texts', () =>
    rows(PACKAGES)(async name => {
      const installed = getPlace(name)
      const entries = await readdir(installed, { recursive: true, withFileTypes: true })
      const files = entries
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(installed.length + 1))
        .filter(file => !file.startsWith('node_modules'))
      // The benchmark has an isolation app, frontends, a schema, the parts of its page and its documents in addition to its code.
      const data =
        /^(hooks|schema|data|frontends|page)[\\/].+\.(html|js|json|json\.br|txt|css)$|^images[\\/]\w{16}\.img$|^withdrawn\.json$/
      const allowed =
        /^(package\.json|action\.yml|README\.md|AGENTS\.md|llms\.txt|LICENSE|dist[\\/].+\.(c?js|d\.ts)(\.map)?|dist[\\/]bundle[\\/]LICENSES\.txt|dist[\\/]browser[\\/]inside\.img)$/
      expect(files.filter(file => !(allowed.test(file) || data.test(file)) || /\.test(-d)?\./.test(file))).toEqual([])
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md']))
    }))

  test('has source maps that contain the sources', () =>
    rows(PROGRAMS)(async name => {
      const installed = getPlace(name)
      const maps = (await readdir(join(installed, 'dist'), { recursive: true })).filter(file =>
        file.endsWith('.js.map'),
      )
      expect(maps).not.toEqual([])
      if (['bench', 'compare'].includes(name)) return // Compiled alone, and no libraries: their maps name the sources.
      for (const file of maps) {
        const map = JSON.parse(await readFile(join(installed, 'dist', file), 'utf8'))
        expect(map.sourcesContent?.length, file).toBe(map.sources.length)
      }
    }))

  test('is within its limit of size', () =>
    rows(PACKAGES)(async name => {
      const installed = getPlace(name)
      const entries = await readdir(installed, { recursive: true, withFileTypes: true })
      const files = entries.filter(entry => entry.isFile() && !entry.parentPath.includes('/dist/node_modules'))
      const sizes = await Promise.all(files.map(async file => (await stat(join(file.parentPath, file.name))).size))
      expect(sizes.reduce((sum, size) => sum + size, 0) / 1e6).toBeLessThan(MEGABYTES[name]!)
    }))

  test('has every file that its package.json names', () =>
    rows(PROGRAMS)(async name => {
      const installed = getPlace(name)
      const { exports, imports = {}, bin = {} } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
      const getFiles = (value: object): string[] => JSON.stringify(value).match(/\.\/dist\/[^"*]+\.[^"*]+/g) ?? []
      const has = (file: string): boolean => existsSync(join(installed, file))
      const named = getFiles([exports, bin])
      expect(named).not.toEqual([])
      expect(named.filter(file => !has(file))).toEqual([])
      // The bundles contain the code: only the types are left.
      expect(getFiles(imports).filter(file => !has(file) && !has(file.replace(/js$/, 'd.ts')))).toEqual([])
    }))
})

test("the README's example prints what the README shows", async () => {
  const page = 'README.md'
  const [{ files, runs } = {}] = getPrograms(page, getBlocks(page, await readFile(join(root, page), 'utf8')))
  expect([...(files?.keys() ?? [])], 'no js block of README.md has the first line // app.mjs').toContain('app.mjs')
  const output = runs?.[0]?.output
  expect(output, 'README.md has no text block after app.mjs that shows its output').toBeDefined()
  for (const [name, { code }] of files!) await writeFile(join(directory, name), code)
  const { stdout } = await run('node', ['app.mjs'], { cwd: directory, timeout: 60_000 })
  expect(stdout).toBe(output)
})

test('the installed commands run', async () => {
  await writeFile(join(directory, 'tauri.conf.json'), '{ "app": { "security": { "capabilities": [] } } }')
  const sallyport = join(directory, 'node_modules/.bin/sallyport')
  const { stdout } = await run(sallyport, ['acl', '--label', 'main'], { cwd: directory, shell })
  expect(stdout).toMatch(/^main \(no capability\)\n/)
  expect((await run(sallyport, ['doctor', '--help'], { cwd: directory, shell })).stdout).toMatch(/^sallyport doctor /)
})

test('the three commands answer and refuse in one form, in 80 columns', () =>
  rows(['sallyport', 'sallyport-bench', 'sallyport-compare'])(async name => {
    const call = (...args: string[]) =>
      run(join(directory, 'node_modules/.bin', name), args, { cwd: directory, shell }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr: stderr.replaceAll('\n', ' ') }),
      )
    expect(await call('--version')).toEqual({ code: 0, stdout: `${name} 0.1.0\n` })
    const help = await call('help')
    expect(help).toEqual({ code: 0, stdout: expect.stringMatching(new RegExp(`^${name} .*\\n(.{0,80}\\n)+$`)) })
    expect(await call('--help')).toEqual(help)
    const stderr = expect.stringMatching(/Unknown option '--hepl' \(did you mean "--help"\?\)/) as string
    expect(await call('--hepl')).toEqual({ code: 2, stderr })
  }))

const nodes: [string, string[]][] = [
  ['this Node', ['node']],
  ['Node 24, the current LTS', ['npx', '--yes', '-p', 'node@24', 'node']],
]

test.each(choose(nodes, 0))(
  'patterns and sandboxes work after npm install, by %s',
  async (_which, [command, ...args]) => {
    await cp(join(root, 'tests/bundled/src'), join(directory, 'app'), { recursive: true })
    const { stdout } = await run(command!, [...args, 'app/host.mjs'], { cwd: directory, shell })
    expect(stdout).toBe(getExpected())
  },
)

test.each(choose(['plugin-host', 'plugin-host-ts']))(
  'a copy of templates/%s installs and runs, and its tests pass',
  async name => {
    const place = await mkdtemp(join(tmpdir(), 'sallyport-template-'))
    const npm = (...args: string[]) => run('npm', args, { cwd: place, shell, timeout: 150_000 })
    try {
      await cp(join(root, 'templates', name), place, { recursive: true })
      await writeFile(join(place, '.npmrc'), `@sallyport:registry=${registry.url}/\n`)
      await npm('install', '--no-audit', '--no-fund', '--prefer-offline')
      const page = await readFile(join(place, 'README.md'), 'utf8')
      const [, output] = /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(page) ?? []
      expect(await npm('start', '--silent')).toEqual({ stdout: output, stderr: '' })
      const { stdout } = await npm('test').catch((error: { stdout: string }) => error)
      // This is the message, because a report shortens the value.
      expect(stdout, stdout).toMatch(/^. pass 5\n. fail 0$/m)
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  },
  180_000,
)

describe('the types compile without skipLibCheck', () => {
  test.each(choose(['nodenext', 'bundler']))(
    'for moduleResolution %s',
    async resolution => {
      expect(await findTypeMistakes(directory, resolution)).toBe('')
    },
    180_000,
  )

  test(
    'with looser and with stricter options of a program',
    () =>
      // Declarations of others are not that strict.
      rows([{ strict: false }, { exactOptionalPropertyTypes: true, skipLibCheck: true }])(async options => {
        expect(await findTypeMistakes(directory, 'nodenext', undefined, options)).toBe('')
      }),
    180_000,
  )

  const compilers = ['5.4', '5.9', '6.0', '7.0'].flatMap(version =>
    ['node16', 'nodenext', 'bundler'].map(resolution => [version, resolution] as const),
  )
  test(
    'for programs with all strict options, by TypeScript 5.4 to 7 with each moduleResolution',
    () =>
      rows(choose(compilers, 0, -1))(async (version, resolution) => {
        expect(await findProgramMistakes(directory, version, resolution)).toBe('')
      }),
    360_000,
  )

  // The versions are pinned, because a new one can break declarations at any time.
  test.each(choose(['20.19.43', '24.19.2', '26.6.6'], 0))(
    'with @types/node %s',
    async version => {
      expect(await findTypeMistakes(directory, 'nodenext', version)).toBe('')
    },
    180_000,
  )
})
