import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkOut } from './checkout.js'
import { readBuilds, selectRun } from './same-files.js'

let top: string
let base: string
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', top, '-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], {
    encoding: 'utf8',
  })

function write(path: string, text: string, root = top): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'sallyport-same-'))
  base = mkdtempSync(join(tmpdir(), 'sallyport-base-'))
  write('.gitignore', 'dist/\n')
  write('src/parse.ts', '1')
  write('bench.mjs', '1')
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'base')
})
afterEach(() => [top, base].forEach(directory => rmSync(directory, { recursive: true })))

const changes = async (...program: string[]): Promise<string[]> =>
  selectRun(await checkOut(git('rev-parse', 'HEAD').trim(), top, base), 'out', program)

describe('changes', () => {
  test('are of files that are committed, changed or new, and not ignored', async () => {
    write('bench.mjs', '2')
    write('new.mjs', '')
    write('dist/parse.js', '')
    write('out/compare.json', '')
    git('rm', '--quiet', 'src/parse.ts')
    expect(await changes()).toEqual(['bench.mjs', 'src/parse.ts', 'new.mjs'])
  })

  test('are not of texts and tests, unless the program is one', async () => {
    for (const path of ['README.md', '.github/ci.yml', 'src/parse.test.ts', 'LICENSE']) write(path, '')
    expect(await changes()).toEqual([])
    rmSync(join(base, '.git'), { recursive: true })
    expect(await changes('npx', 'vitest', 'parse.test.ts')).toEqual(['src/parse.test.ts'])
  })
})

describe('a compiled source', () => {
  const read = async (ofBase: Record<string, string>): ReturnType<typeof readBuilds> => {
    const changed = await changes()
    for (const [path, text] of Object.entries(ofBase)) write(path, text, base)
    return readBuilds(changed, top, base)
  }
  beforeEach(() => {
    write('src/parse.ts', '2')
    write('dist/parse.js', 'the same')
  })

  test('is alike if all that was built is the same, except for logs', async () => {
    expect(await read({ 'dist/parse.js': 'the same', 'dist/build.log': 'in 3 s' })).toEqual({ isSame: true })
  })

  test('is not if anything that was built differs', async () => {
    expect(await read({ 'dist/parse.js': 'the same', 'dist/other.js': 'other' })).toMatchObject({ isSame: false })
  })

  test('is not if nothing was built of it', async () => {
    expect(await read({ 'dist/other.js': 'the same' })).toMatchObject({ isSame: false })
  })

  test('is not if it has changed since it was built, or is not below src', async () => {
    write('bench/parse.ts', '1')
    expect(await read({ 'dist/parse.js': 'the same' })).toMatchObject({ isSame: false })
    rmSync(join(top, 'bench'), { recursive: true })
    rmSync(join(base, '.git'), { recursive: true })
    utimesSync(join(top, 'dist/parse.js'), 1, 1)
    expect(await read({ 'dist/parse.js': 'the same' })).toEqual({ isSame: false, stale: 'src/parse.ts' })
  })

  test('is not alike if another file has changed', async () => {
    write('bench.mjs', '2')
    expect(await read({ 'dist/parse.js': 'the same' })).toMatchObject({ isSame: false })
  })
})
