// Finds the fenced blocks of a page, with the marks that stand before them in HTML comments: `given`, `within`, `unchecked`.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Block {
  /** As in `docs/reference/options.md`. */
  page: string
  /** The line of the page on which the code begins, from 1. */
  line: number
  /** What stands behind the fence: `js`. */
  language: string
  code: string
  /** Why nothing checks this block: `<!-- unchecked: the reason -->`. */
  unchecked: string | undefined
  /** What the block is a part of, `…` standing for the block: `<!-- within: createBus({ core, … }) -->`. */
  within: string | undefined
  /** TypeScript that declares what the page's blocks use and nobody shows: `<!-- given: declare const notes: Map<string, string> -->`. */
  given: string
}

const FENCE = /^( *)```([^\n]*)\n([^]*?)^\1```[^\S\n]*$|<!-- (given|within|unchecked): ([^]*?)-->/gm

/** The blocks of a page, in order. What is `given` holds from there to the end of the page. */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = []
  let given = ''
  let marks: { within?: string; unchecked?: string } = {}
  for (const match of text.matchAll(FENCE)) {
    const [, indent = '', info = '', code = '', mark, value = ''] = match
    if (mark === 'given') given += `${value.trim()}\n`
    else if (mark) marks = { ...marks, [mark]: value.trim() }
    else {
      const line = text.slice(0, match.index).split('\n').length + 1
      const language = info.trim().split(/[\s{[]/)[0] ?? ''
      const dedented = indent ? code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') : code
      const { within, unchecked } = marks
      blocks.push({ page, line, language, code: dedented, given, within, unchecked })
      marks = {}
    }
  }
  return blocks
}

const below = (folder: string): string[] =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.md') && !/node_modules|\.api\.md$/.test(file))
    .map(file => `${folder}/${file.replaceAll('\\', '/')}`)

const FOLDERS = ['docs', 'examples', 'packages', 'templates']

/** Every page that users see, by its path in the repository. */
export function allPages(): { page: string; text: string }[] {
  const pages = [...readdirSync(root).filter(file => file.endsWith('.md')), 'site/index.md', ...FOLDERS.flatMap(below)]
  return pages.toSorted().map(page => ({ page, text: readFileSync(`${root}${page}`, 'utf8') }))
}
