// Runs the install commands of all pages as they stand, next to a clone of the repository without a build: README's example, the
// programs of the quick start and the templates must work with what they install.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PUBLISHED } from '../../../../scripts/install-boxes.mjs'
import { allPages, getBlocks } from '../../../../site/blocks/markdown.js'
import { getPrograms } from '../../../../site/blocks/programs.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const run = promisify(execFile)
const RUN_MS = 180_000
const BUILD_MS = 180_000
/** Lines that need a server, or files of the reader, or get the clone. */
const OTHERS = /^(docker|NODE_ENV=|git clone )/

/** Boxes with an install command, each once, and the pages that show them. */
const boxes = new Map<string, string[]>()
for (const { page, text } of allPages())
  for (const { language, code } of getBlocks(page, text)) {
    if (language !== 'sh' || !code.includes('npm install ../sallyport/')) continue
    const lines = code.split('\n').filter(line => !OTHERS.test(line))
    const box = lines.join('\n')
    boxes.set(box, [...(boxes.get(box) ?? []), page])
  }
const entries = [...boxes].map(([box, pages]) => ({ box, pages, name: pages.join(', ') }))
const getBox = (page: string) => entries.find(({ pages }) => pages.includes(page))!.box
/** A box that only installs is for a project, next to the clone. Others make a directory of their own there. */
const isForProject = (box: string): boolean => box.startsWith('npm ')

let directory: string

async function runBox(box: string, project: string): Promise<string> {
  const cwd = isForProject(box) ? join(directory, project) : directory
  await mkdir(cwd, { recursive: true })
  const { stdout } = await run('sh', ['-ec', box], { cwd, timeout: RUN_MS })
  return stdout
}

/** Copies what a commit of the working tree would have. */
async function copyRepository(to: string): Promise<void> {
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const { stdout } = await run('git', listing, { cwd: root, maxBuffer: 2 ** 24 })
  const files = stdout.split('\0').filter(file => file && existsSync(join(root, file)))
  for (const file of files) await cp(join(root, file), join(to, file), { recursive: true, verbatimSymlinks: true })
}

/** Writes the programs of a page one after another, and runs each. Returns what the page shows, and what they print. */
async function runPrograms(page: string, cwd: string): Promise<[shown: string[], printed: string[]]> {
  const shown: string[] = []
  const printed: string[] = []
  for (const { files, runs } of getPrograms(page, getBlocks(page, await readFile(join(root, page), 'utf8')))) {
    for (const [name, { code }] of files) await writeFile(join(cwd, name), code)
    for (const { command, output } of runs.filter(entry => entry.output !== undefined)) {
      const { stdout } = await run('node', command, { cwd, timeout: RUN_MS })
      shown.push(output!)
      printed.push(stdout)
    }
  }
  return [shown, printed]
}

describe.skipIf(PUBLISHED)('next to a clone', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sallyport-clone-'))
    await copyRepository(join(directory, 'sallyport'))
    await run('npm', ['--prefix', 'sallyport', 'run', 'build'], { cwd: directory, timeout: BUILD_MS })
  }, BUILD_MS + RUN_MS)

  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('README, home page, quick start, guides and templates have install commands', () => {
    const pages = entries.flatMap(entry => entry.pages)
    const expected = ['README.md', 'site/index.md', 'docs/guide/quick-start.md', 'docs/guide/web.md']
    expect(pages).toEqual(expect.arrayContaining(expected))
    expect(pages.filter(page => page.startsWith('templates/'))).toHaveLength(2)
  })

  test.each(entries.filter(({ box }) => isForProject(box)))(
    'the commands of $name install packages that load',
    async ({ box }) => {
      const project = `project-${entries.findIndex(entry => entry.box === box)}`
      await runBox(box, project)
      const names = [...box.matchAll(/\.\.\/sallyport\/packages\/([\w-]+)/g)].map(([, name]) => `@sallyport/${name}`)
      // The inspector has no entry for users.
      const code = `for (const name of ${JSON.stringify(names)})
        console.log(Object.keys(await import(name).catch(() => import(name + '/internal'))).length > 0)`
      const { stdout } = await run('node', ['--input-type=module', '-e', code], { cwd: join(directory, project) })
      expect(stdout).toBe('true\n'.repeat(names.length))
    },
    RUN_MS,
  )

  test.each([
    ['README.md', 'readme'],
    ['site/index.md', 'home'],
    ['docs/guide/quick-start.md', 'hello'],
  ])(
    'the programs of %s print what it shows',
    async (page, project) => {
      await runBox(getBox(page), project)
      const [shown, printed] = await runPrograms(page, join(directory, project))
      expect(shown).not.toEqual([])
      expect(printed).toEqual(shown)
    },
    2 * RUN_MS,
  )

  test.each(['plugin-host', 'plugin-host-ts'])(
    'the commands of templates/%s copy, start and test it',
    async name => {
      const page = `templates/${name}/README.md`
      const [, output = ''] =
        /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(await readFile(join(root, page), 'utf8')) ?? []
      try {
        const stdout = await runBox(getBox(page), '')
        expect(output).not.toBe('')
        expect(stdout).toContain(output)
        expect(stdout).toMatch(/^. fail 0$/m)
      } finally {
        await rm(join(directory, 'my-host'), { recursive: true, force: true })
      }
    },
    2 * RUN_MS,
  )
})
