// Finds the fenced blocks of a page, with the marks before them in HTML comments: `given`, `within`, `unchecked`.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Block {
  /** Path in the repository, such as `docs/reference/options.md`. */
  page: string
  /** The line of the page on which the code begins, from 1. */
  line: number
  /** The word after the fence, such as `js`. */
  language: string
  code: string
  /** Why nothing checks this block: `<!-- unchecked: the reason -->`. */
  unchecked: string | undefined
  /** Code around the block, with `…` in place of the block: `<!-- within: createBus({ core, … }) -->`. */
  within: string | undefined
  /** TypeScript that declares names which the page uses and does not show: `<!-- given: declare const notes: Map<string, string> -->`. */
  given: string
}

const FENCE = /^( *)```([^\n]*)\n([^]*?)^\1```[^\S\n]*$|<!-- (given|within|unchecked): ([^]*?)-->/gm

/** Returns the blocks of a page, in order. `given` applies from its place to the end of the page. */
export function getBlocks(page: string, text: string): Block[] {
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

/** Returns the files below a directory. Does not read `node_modules`, which has a hundred times as many files, and what tests remove meanwhile. */
export const below = (directory: string, isFound: (name: string) => boolean): string[] =>
  readdirSync(`${root}${directory}`, { withFileTypes: true }).flatMap(entry => {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) return /^(?:node_modules$|tmp-)/.test(entry.name) ? [] : below(path, isFound)
    return isFound(entry.name) ? [path] : []
  })

const isPage = (name: string): boolean => name.endsWith('.md') && !name.endsWith('.api.md')

const DIRECTORIES = ['docs', 'examples', 'extensions', 'packages', 'templates']

/** Every page that users see, by its path in the repository. */
export function allPages(): { page: string; text: string }[] {
  const pages = [
    ...readdirSync(root).filter(file => file.endsWith('.md')),
    'site/index.md',
    ...DIRECTORIES.flatMap(directory => below(directory, isPage)),
  ]
  return pages.toSorted().map(page => ({ page, text: readFileSync(`${root}${page}`, 'utf8') }))
}
