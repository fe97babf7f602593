// Writes the pages' code to a folder: files as they are, and fragments as modules that import what is given. Each block keeps
// the line numbers of its page.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, type Block } from './markdown.js'
import { declaredIn } from './names.js'
import type { Program } from './programs.js'

/** A folder in `site/`, not kept in git. Below it: `docs/reference/options.md/1/host.mjs`. */
export const blocksFolder = (purpose: 'compile' | 'run'): string => join(root, 'site/.blocks', purpose)

export const folderOf = ({ page, number }: Program, purpose: 'compile' | 'run'): string =>
  join(blocksFolder(purpose), page, String(number))

const shared = declaredIn(readFileSync(new URL('given.ts', import.meta.url), 'utf8'), 'ts')

const isCode = ({ language, unchecked }: Block): boolean => /^(js|ts)$/.test(language) && unchecked === undefined

/** Fragments are there to be compiled alone. */
export function writePrograms(programs: readonly Program[], purpose: 'compile' | 'run'): void {
  rmSync(blocksFolder(purpose), { recursive: true, force: true })
  for (const program of programs) {
    const folder = folderOf(program, purpose)
    for (const [name, block] of program.files) write(join(folder, name), headOf(name, block) + block.code)
    if (purpose === 'compile') for (const block of program.fragments.filter(isCode)) writeFragment(folder, block)
  }
}

/** Hooks are no modules, and have globals of their own: they are run, not compiled. */
const headOf = (name: string, block: Block): string =>
  isCode(block) ? `${name.startsWith('dist-isolation') ? '// @ts-nocheck' : ''}${'\n'.repeat(block.line - 1)}` : ''

function writeFragment(folder: string, block: Block): void {
  const { line, language, code, given, within = '…' } = block
  const [before = '', after = ''] = within.split('…')
  const own = given && declaredIn(given, 'ts')
  if (own) write(join(folder, `given-${line}.ts`), own.starts.toReversed().reduce(withExport, given))
  const module = `${before}\n${code}${after}`
  const mine = namesOf(module, language)
  const taken = new Set([...mine.values, ...mine.types, ...mine.imported])
  let imports = ''
  const take = (from: string, { values, types }: typeof shared): void => {
    const names = [...values, ...(language === 'ts' ? types.map(name => `type ${name}`) : [])]
    const free = names.filter(name => !taken.has(name.replace('type ', '')))
    for (const name of free) taken.add(name.replace('type ', ''))
    imports += `import { ${free.join(', ')} } from '${from}';`
  }
  if (own) take(`./given-${line}.js`, own)
  take('#given', shared)
  // The line before the block is that of its fence.
  write(join(folder, `block-${line}.${language}`), `${imports}${'\n'.repeat(line - 2)}${module}`)
}

/** A syntax error is for TypeScript to report. */
function namesOf(code: string, language: string): ReturnType<typeof declaredIn> {
  try {
    return declaredIn(code, language)
  } catch {
    return { values: [], types: [], imported: [], starts: [] }
  }
}

const withExport = (code: string, start: number): string => `${code.slice(0, start)}export ${code.slice(start)}`

/** Makes the folder too. */
export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
