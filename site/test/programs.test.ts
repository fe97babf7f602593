// Runs the programs and tests that the pages show, each in its own directory: they print what the page shows.
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { getBlocksDirectory, getDirectory, writePrograms } from '../blocks/write.js'
import { allPages, getBlocks } from '../blocks/markdown.js'
import { getPrograms } from '../blocks/programs.js'
import { isMatrix, rows } from '../../scripts/testing.js'

const programs = allPages()
  .filter(({ page }) => !/^(examples|templates)\//.test(page))
  .flatMap(({ page, text }) => getPrograms(page, getBlocks(page, text)))
const runs = programs.flatMap(program =>
  program.runs.map(run => ({ ...run, title: `${run.command.join(' ')} of ${program.page}:${run.line}`, program })),
)
const tests = programs.flatMap(program =>
  [...program.files.keys()]
    .filter(file => file.includes('.test.'))
    .map(file => ({ file, page: program.page, program })),
)
const run = promisify(execFile)

beforeAll(() => writePrograms(programs, 'run'))
afterAll(() => rm(getBlocksDirectory('run'), { recursive: true, force: true }))

test('these pages have programs', () => {
  const withPrograms = [...new Set(runs.map(({ program }) => program.page))]
  expect(withPrograms).toEqual(expect.arrayContaining(['README.md', 'docs/guide/commands.md', 'docs/guide/tauri.md']))
  expect(tests.map(({ page }) => page)).toContain('docs/guide/development.md')
})

/** A third of them, by the day. */
const chosen = runs.filter((_, index) => isMatrix || index % 3 === new Date().getUTCDate() % 3)

test('each program prints what its page shows', { timeout: 600_000 }, () =>
  rows(Object.fromEntries(chosen.map(each => [each.title, each])))(async ({ program, command, output }) => {
    // Rejects if the exit code is not 0, or the process has to be killed.
    const { stdout } = await run(process.execPath, command, { cwd: getDirectory(program, 'run'), timeout: 60_000 })
    expect(stdout).toBe(output ?? stdout)
  }),
)

/** Uploads an endless file, and aborts when core has written of it. Prints whether core has ended the upload, and not at 256 MiB. */
const ABORTED_UPLOAD = `
import { rm, stat } from 'node:fs/promises'
import { createBus } from '@sallyport/core'

const controller = new AbortController()
const module = new URL('./main.mjs', import.meta.url)
const bus = await createBus({
  core: new URL('./core.mjs', import.meta.url),
  frontends: {
    main: {
      module,
      allow: ['upload'],
      sandbox: { kind: 'permission', read: ['/dev/zero'] },
    },
  },
})
const copy = new URL('./uploads/photo.bin', import.meta.url)
await rm(copy, { force: true })
const getSize = () => stat(copy).then(({ size }) => size, () => 0)
const outcome = bus.call('main', 'save', { path: '/dev/zero' }, { signal: controller.signal })
while ((await getSize()) === 0);
controller.abort()
console.log(await outcome.catch(error => error.reason))
const isTooLarge = async () => (await getSize()) > 2 ** 28
while ((await bus.stats()).frontends.main.inFlight > 0 && !(await isTooLarge()));
console.log((await isTooLarge()) ? 'continues' : 'ended')
await bus.close({ timeout: 0 })
`

test('the upload that the page on streams shows ends when its call is aborted', async () => {
  const program = programs.find(({ files }) => files.get('core.mjs')?.code.includes('async upload('))!
  const cwd = getDirectory(program, 'run')
  await writeFile(join(cwd, 'aborted.mjs'), ABORTED_UPLOAD)
  const { stdout } = await run(process.execPath, ['aborted.mjs'], { cwd, timeout: 60_000 })
  expect(stdout).toBe('Cancelled\nended\n')
}, 70_000)

test('the tests of the pages pass', async () => {
  const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
  const cwd = getBlocksDirectory('run')
  // Without its own configuration the directory would use that of this site, which includes other files.
  await writeFile(join(cwd, 'vitest.config.mjs'), 'export default { test: { testTimeout: 60_000 } }\n')
  const paths = tests.map(({ file, program }) => join(getDirectory(program, 'run'), file))
  const argv = [vitest, 'run', '--root', cwd, '--reporter=json', ...paths]
  const { stdout } = await run(process.execPath, argv, { cwd, timeout: 180_000 })
  const { testResults } = JSON.parse(stdout) as { testResults: { name: string; assertionResults: object[] }[] }
  expect(testResults.map(({ name }) => resolve(name)).toSorted()).toEqual(paths.toSorted())
  for (const { assertionResults } of testResults) {
    expect(assertionResults).toContainEqual(expect.objectContaining({ status: 'passed' }))
  }
}, 190_000)
