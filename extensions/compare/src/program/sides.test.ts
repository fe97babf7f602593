import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createTranslation, removeTree } from './sides.js'

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-sides-')))
const [head, base] = [join(directory, 'head (1)'), join(directory, 'base')]
for (const tree of [head, base]) {
  mkdirSync(join(tree, 'bin'), { recursive: true })
  writeFileSync(join(tree, 'a b.mjs'), '')
}
writeFileSync(join(head, 'data.bin'), '')
afterAll(() => rmSync(directory, { recursive: true }))

test('the base is told its own paths in place of those of the head', () =>
  rows<[text: string, translated: string]>([
    [`${head}/a b.mjs`, `${base}/a b.mjs`],
    [`node '${head}/bin' x`, `node '${base}/bin' x`],
    [`/usr/bin:${head}/bin:${head}`, `/usr/bin:${base}/bin:${base}`],
    [`--import=file://${head}/bin`, `--import=file://${base}/bin`],
    [`--import=${pathToFileURL(head).href}/bin`, `--import=file://${base}/bin`],
    [`${head}/new.mjs`, `${base}/new.mjs`],
    [`(node ${head}/bin)|tee "$(cat ${head}/data.bin)"`, `(node ${base}/bin)|tee "$(cat ${head}/data.bin)"`],
    [`${head}/bin/*.mjs`, `${base}/bin/*.mjs`],
    [`>${head}/new.txt`, `>${base}/new.txt`],
    [`>${head}/../new.txt`, `>${head}/../new.txt`],
    // Only the head has it, and git ignores it.
    [`${head}/data.bin`, `${head}/data.bin`],
    [`${head}2/bin`, `${head}2/bin`],
    [`/else${head}/bin`, `/else${head}/bin`],
    ['bin', 'bin'],
  ])((text, translated) => expect(createTranslation({ head, base, changes: ['new.mjs'] })(text)).toBe(translated)))

test('a head that the shell names by a link is the same', () => {
  const link = join(directory, 'link')
  symlinkSync(head, link)
  vi.spyOn(process, 'cwd').mockReturnValue(head)
  vi.stubEnv('PWD', link)
  onTestFinished(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })
  expect(createTranslation({ head, base, changes: [] })(`${link}/bin:${head}/bin`)).toBe(`${base}/bin:${base}/bin`)
  expect(removeTree(`${link}/bench.mjs 1 ms\nfile://${directory}/else 2 ms`, head)).toBe(
    `bench.mjs 1 ms\nfile://${directory}/else 2 ms`,
  )
})
