// Runs the programs and tests that pages of docs/ show, each page's in a folder of its own: they print what the page says.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exampleIn } from './readme.ts'

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
const names = (await readdir(docs)).filter(name => name.endsWith('.md'))
const pages = await Promise.all(
  names.map(async name => ({ name, ...exampleIn(await readFile(join(docs, name), 'utf8')) })),
)
const withPrograms = pages.filter(({ files }) => files.size > 0)
const isTest = (file: string): boolean => file.includes('.test.')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-pages-'))
  await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'), 'junction')
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('these show a program', () => {
  expect(withPrograms.map(({ name }) => name).toSorted()).toEqual([
    'capabilities.md',
    'guide.md',
    'isolation-hooks.md',
    'tauri.md',
  ])
  expect(withPrograms.flatMap(({ files }) => [...files.keys()].filter(isTest))).toEqual(['app.test.mjs'])
})

test.each(withPrograms)('that of docs/$name answers as the page says', async ({ name, files, output }) => {
  const place = join(folder, name)
  await mkdir(place)
  for (const [file, code] of files) {
    await mkdir(dirname(join(place, file)), { recursive: true })
    await writeFile(join(place, file), code)
  }
  const { stdout } = await promisify(execFile)('node', ['host.mjs'], { cwd: place, timeout: 15_000 })
  expect(stdout).toBe(output)
})

test.each(withPrograms.flatMap(({ name, files }) => [...files.keys()].filter(isTest).map(file => ({ name, file }))))(
  'the tests of docs/$name pass: $file',
  async ({ name, file }) => {
    const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
    await promisify(execFile)('node', [vitest, 'run', file], { cwd: join(folder, name), timeout: 60_000 })
  },
  60_000,
)

test.each(names)('the links of docs/%s lead to files', async name => {
  const text = await readFile(join(docs, name), 'utf8')
  const linked = [...text.matchAll(/\]\(([^)#\s]+)[^)\s]*\)/g)].map(([, place = '']) => place)
  expect(linked.filter(place => !place.startsWith('http') && !existsSync(join(docs, place)))).toEqual([])
})
