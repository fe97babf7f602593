// Writes the pages' code to a directory: files unchanged, and fragments as modules that import the given names. Each block keeps
// the line numbers of its page.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, type Block } from './markdown.js'
import { declaredIn } from './names.js'
import type { Program } from './programs.js'

/** Returns a directory in `site/` that git ignores. Below it: `docs/reference/options.md/1/host.mjs`. */
export const getBlocksDirectory = (purpose: 'compile' | 'run'): string => join(root, 'site/.blocks', purpose)

export const getDirectory = ({ page, number }: Program, purpose: 'compile' | 'run'): string =>
  join(getBlocksDirectory(purpose), page, String(number))

const shared = declaredIn(readFileSync(new URL('given.ts', import.meta.url), 'utf8'), 'ts')

const isCode = ({ language, unchecked }: Block): boolean => /^(js|ts)$/.test(language) && unchecked === undefined

/** Writes programs. Fragments are only compiled. */
export function writePrograms(programs: readonly Program[], purpose: 'compile' | 'run'): void {
  rmSync(getBlocksDirectory(purpose), { recursive: true, force: true })
  for (const program of programs) {
    const directory = getDirectory(program, purpose)
    for (const [name, block] of program.files) write(join(directory, name), toHead(name, block) + block.code)
    if (purpose === 'compile') for (const block of program.fragments.filter(isCode)) writeFragment(directory, block)
  }
}

/** Hooks are not modules, and have globals of their own: they run, but are not compiled. */
const toHead = (name: string, block: Block): string =>
  isCode(block) ? `${name.startsWith('dist-isolation') ? '// @ts-nocheck' : ''}${'\n'.repeat(block.line - 1)}` : ''

function writeFragment(directory: string, block: Block): void {
  const { line, language, code, given, within = '…' } = block
  const [before = '', after = ''] = within.split('…')
  const declared = given && declaredIn(given, 'ts')
  if (declared) write(join(directory, `given-${line}.ts`), declared.starts.toReversed().reduce(withExport, given))
  const module = `${before}\n${code}${after}`
  const mine = getNames(module, language)
  const taken = new Set([...mine.values, ...mine.types, ...mine.imported])
  let imports = ''
  const take = (from: string, { values, types }: typeof shared): void => {
    const names = [...values, ...(language === 'ts' ? types.map(name => `type ${name}`) : [])]
    const free = names.filter(name => !taken.has(name.replace('type ', '')))
    for (const name of free) taken.add(name.replace('type ', ''))
    imports += `import { ${free.join(', ')} } from '${from}';`
  }
  if (declared) take(`./given-${line}.js`, declared)
  take('#given', shared)
  // The line before the block is that of its fence.
  write(join(directory, `block-${line}.${language}`), `${imports}${'\n'.repeat(line - 2)}${module}`)
}

/** Returns no names for a syntax error, which TypeScript reports. */
function getNames(code: string, language: string): ReturnType<typeof declaredIn> {
  try {
    return declaredIn(code, language)
  } catch {
    return { values: [], types: [], imported: [], starts: [] }
  }
}

const withExport = (code: string, start: number): string => `${code.slice(0, start)}export ${code.slice(start)}`

/** Writes a file, and creates its directory. */
export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
