// Packs the five packages, installs them with npm into an empty folder, and runs the README's example there as pasted.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleIn } from './readme.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const packages = ['protocol', 'frontend', 'isolation', 'core', 'bench']
const shell = process.platform === 'win32'
const run = promisify(execFile)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-packed-'))
  const pnpm = join(root, 'node_modules/.bin/pnpm')
  const pack = (name: string) =>
    run(pnpm, ['pack', '--pack-destination', folder], { cwd: join(root, 'packages', name), shell })
  await Promise.all(packages.map(pack))
  const tarballs = (await readdir(folder)).filter(file => file.endsWith('.tgz')).map(file => `./${file}`)
  await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: folder, shell })
}, 180_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe.each(packages)('@sallyport/%s', name => {
  const installed = () => join(folder, 'node_modules/@sallyport', name)

  test('is what was built, and nothing else', async () => {
    const entries = await readdir(installed(), { recursive: true, withFileTypes: true })
    const files = entries
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(installed().length + 1))
      .filter(file => !file.startsWith('node_modules'))
    // The benchmark has an isolation app, frontends, a schema and a file to read beside its code.
    const data = /^(hooks|schema|data|frontends)[\\/].+\.(html|js|json|txt)$/
    const allowed =
      /^(package\.json|README\.md|LICENSE|dist[\\/].+\.(js|d\.ts)(\.map)?|dist[\\/]bundle[\\/]LICENSES\.txt)$/
    expect(files.filter(file => !(allowed.test(file) || data.test(file)) || /\.test(-d)?\./.test(file))).toEqual([])
    expect(files).toContain('LICENSE')
  })

  test('has every file that its package.json names', async () => {
    const { exports, imports = {}, bin = {} } = JSON.parse(await readFile(join(installed(), 'package.json'), 'utf8'))
    const named = JSON.stringify([exports, imports, bin]).match(/\.\/dist\/[^"*]+\.[^"*]+/g) ?? []
    expect(named).not.toEqual([])
    expect(named.filter(file => !existsSync(join(installed(), file)))).toEqual([])
  })
})

test("the README's example answers as the README says", async () => {
  const { files, output } = exampleIn(await readFile(join(root, 'README.md'), 'utf8').catch(() => ''))
  expect([...files.keys()], 'README.md has no js block whose first line is // host.mjs').toContain('host.mjs')
  expect(output, 'README.md has no text block after host.mjs that shows its output').toBeDefined()
  for (const [name, code] of files) await writeFile(join(folder, name), code)
  const { stdout } = await run('node', ['host.mjs'], { cwd: folder, timeout: 15_000 })
  expect(stdout).toBe(output)
})

test('its commands run where they are installed', async () => {
  await writeFile(join(folder, 'tauri.conf.json'), '{ "app": { "security": { "capabilities": [] } } }')
  const acl = join(folder, 'node_modules/.bin/sallyport-acl')
  const { stdout } = await run(acl, ['--label', 'main'], { cwd: folder, shell })
  expect(stdout).toMatch(/^main \(no capability\)\n/)
})
