// Every block of code in README and docs compiles or can be read, and every command that they show exists.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../blocks/compile.js'
import { readData, readers } from '../blocks/data.js'
import { allPages, below, getBlocks, root, type Block } from '../blocks/markdown.js'
import { getPrograms } from '../blocks/programs.js'
import { findShellMistakes } from '../blocks/shell.js'
import { getBlocksDirectory, write, writePrograms } from '../blocks/write.js'
import { FOUND, PAGE, SHELL, TEXT } from './typos.ts'
import { rows } from '../../scripts/testing.js'

/** A file next to README's example, with a mistake that only strict options find. */
const TYPO = 'strict/typo.mts'

const read = ({ page, text }: { page: string; text: string }) => {
  const found = getBlocks(page, text)
  return { page, blocks: found, programs: getPrograms(page, found) }
}
const pages = allPages().map(read)
const typos = read({ page: PAGE, text: TEXT })
const blocks = pages.flatMap(page => page.blocks)
const place = ({ page, line }: Block): string => `${page}:${line}`

/** Shown as they are: what programs print, pictures, images of containers, and pages of an isolation app, which are run with their program. */
const SHOWN = ['text', 'mermaid', 'html', 'css', 'diff', 'dockerfile', 'vector']

test('each block has a language that the checks know', () => {
  const known = ['js', 'ts', 'sh', ...Object.keys(readers), ...SHOWN]
  expect(blocks.filter(({ language }) => !known.includes(language)).map(place)).toEqual([])
})

test('unchecked blocks are few, and have a reason', () => {
  const unchecked = blocks.filter(block => block.unchecked !== undefined)
  expect(unchecked.filter(({ unchecked: reason }) => reason!.length < 20).map(place)).toEqual([])
  expect(unchecked.length).toBeLessThan(blocks.length / 20)
})

/** Of what a program prints, a line can be longer: the site wraps it. npm does not. */
const isPrinted = ({ language, page }: Block): boolean => language === 'text' && !/^(packages|extensions)\//.test(page)

test('no line of code has more than 80 characters', () => {
  const tooLong = blocks
    .filter(block => !isPrinted(block) && block.language !== 'mermaid')
    .flatMap(block =>
      block.code.split('\n').map((text, index) => ({ text, at: `${block.page}:${block.line + index}` })),
    )
    .filter(({ text }) => text.length > 80)
  expect(tooLong.map(({ at }) => at)).toEqual([])
})

/** Options that give everything of their kind, with words of a comment that says so. */
const GIVES_ALL = [
  [/\bnet: true/, /the (?:whole|host's) network|every (?:host|address)/],
  [/\bwall: 'none'/, /without a wall|no wall/],
  [/\b(?:sandbox|kind): 'none'/, /without a sandbox|no sandbox|trusted/],
  [/\b(?:allow|permissions): (?:'\*'|\[["']\*["']\])/, /all commands|every command/],
  [/\b(?:ask|authorize|onConfirm): \(\) => true/, /without a question|everyone|everything/],
] as const

/** Lines, and each says in a comment what it gives, if that is everything: people copy it. */
const findSilentGifts = (at: string, text: string): string[] =>
  text
    .split('\n')
    .filter(line =>
      GIVES_ALL.some(([option, words]) => option.test(line) && !words.test(line.split(/\/\/|#/)[1] ?? '')),
    )
    .map(line => `${at}: ${line.trim()}`)

test('an option that gives everything has a comment beside it that says so', () => {
  const files = ['examples', 'templates']
    .flatMap(directory => below(directory, name => /\.m?[jt]s$/.test(name)))
    .filter(path => !path.includes('/test/'))
    .map(path => [path, readFileSync(`${root}${path}`, 'utf8')] as const)
  expect(files.length).toBeGreaterThan(20)
  const code = blocks.map(block => [place(block), block.code] as const)
  expect([...files, ...code].flatMap(([at, text]) => findSilentGifts(at, text))).toEqual([])
  const silent = "sandbox: { kind: 'process', net: true }, // without a network"
  expect(findSilentGifts('a.md', `wall: 'none', // no wall\n${silent}`)).toEqual([`a.md: ${silent}`])
})

describe('JavaScript and TypeScript', () => {
  /** The first program of the README, which is compiled a second time as TypeScript. */
  const [{ files } = { files: new Map<string, Block>() }] = pages.find(({ page }) => page === 'README.md')!.programs
  const strict = [...files]
    .filter(([name]) => name.endsWith('.mjs'))
    .map(([name, block]) => [name.replace('.mjs', '.mts'), block] as const)
  let mistakes: string[]
  beforeAll(() => {
    const programs = [...pages, typos].flatMap(page => page.programs)
    writePrograms(programs, 'compile')
    const directory = join(getBlocksDirectory('compile'), 'strict')
    for (const [name, { code }] of strict) write(join(directory, name), code)
    write(join(getBlocksDirectory('compile'), TYPO), 'export const twice = n => 2 * n\n')
    mistakes = compile()
  })

  test('compiles', () => {
    expect(mistakes.filter(mistake => !mistake.startsWith(PAGE) && !mistake.startsWith(TYPO))).toEqual([])
  })

  test("README's example is among the TypeScript, under strict options and without a change", () => {
    expect(strict.map(([name]) => name)).toEqual(['plugin.mts', 'app.mts'])
    expect(mistakes.filter(mistake => mistake.startsWith(TYPO))).toEqual([
      expect.stringContaining("Parameter 'n' implicitly has an 'any' type"),
    ])
  })

  test('has its mistakes reported with their lines', () => {
    const lines = mistakes.map(mistake => /^[^:]+:\d+/.exec(mistake)?.[0]).filter(at => at?.startsWith(PAGE))
    expect(new Set(lines)).toEqual(new Set(FOUND))
  })
})

describe('JSON, JSON5, TOML and YAML', () => {
  const data = blocks.filter(({ language, unchecked }) => language in readers && unchecked === undefined)
  test('can be read', () => rows(Object.fromEntries(data.map(block => [place(block), block])))(readData))

  test('is rejected if it has a mistake', async () => {
    const [block] = getBlocks(PAGE, '```json\n{ "identifier": "main", "windws": ["main"], "permissions": [] }\n```\n')
    await expect(readData(block!)).rejects.toThrow('windws')
  })
})

describe('shell', () => {
  const findMistakes = (page: ReturnType<typeof read>): string[] => {
    const files = new Set(page.programs.flatMap(program => [...program.files.keys()]))
    return page.blocks
      .filter(({ language, unchecked }) => language === 'sh' && unchecked === undefined)
      .flatMap(block => findShellMistakes(block, files))
  }

  test('has only commands that exist', () => {
    expect(pages.flatMap(findMistakes)).toEqual([])
  })

  test('has unknown commands reported', () => {
    expect(findMistakes(typos)).toEqual(SHELL)
  })
})
