// What tells a program where it is, beside its working directory: its arguments, `PWD`, the `PATH` that npm has made. All name the head. A base that got
// them unchanged would run the head's files, and no regression could show.
import { existsSync, realpathSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The two trees, by their real paths. */
export interface Trees {
  head: string
  base: string
  /** What differs between them, from their tops. */
  changes: readonly string[]
}

/** What ends a path in a command line, a list of paths or an option. */
const BORDER = '\\s:;,=\'"`()<>|&'

const toPattern = (paths: readonly string[]): string =>
  `(?:${paths.map(path => path.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|')})`

/** The top of the head as git says it, as a URL does, and as the shell does, which keeps symbolic links. */
function getSpellings(top: string): string[] {
  const { PWD = '' } = process.env
  const spelled = PWD && resolve(PWD, relative(process.cwd(), top))
  const isLink = spelled && existsSync(spelled) && realpathSync(spelled) === top
  return [...new Set([top, pathToFileURL(top).pathname, ...(isLink ? [spelled] : [])])]
}

/** Returns what names a file of the base in place of each path of the head. What only the head can have, such as data that git ignores, stays. */
export function createTranslation({ head, base, changes }: Trees): (text: string) => string {
  const tops = getSpellings(head)
  // What is beside the trees is one for both.
  const leadsOut = (path: string): boolean => /^\.\.(?:[\\/]|$)/.test(relative(base, base + path))
  const isInBase = (path: string): boolean =>
    !leadsOut(path) && (existsSync(base + path) || changes.includes(path.slice(1)))
  // A pattern, or a file that the program makes, is where its directory is.
  const isOfBoth = (path: string): boolean => isInBase(path) || (!existsSync(head + path) && isOfBoth(dirname(path)))
  const within = new RegExp(`(?<=^|[${BORDER}]|file://)${toPattern(tops)}(/[^${BORDER}]*|(?![^${BORDER}]))`, 'g')
  return text => {
    // An argument that is a path can have spaces.
    const whole = tops.find(top => text.startsWith(`${top}/`))
    const path = whole === undefined ? '' : text.slice(whole.length)
    if (whole !== undefined && (existsSync(text) || isInBase(path))) return isInBase(path) ? base + path : text
    return text.replaceAll(within, (found, path: string) => (isOfBoth(path) ? base + path : found))
  }
}

/** Returns a text without the path of its side: a figure that is named by its file has one name in both. */
export function removeTree(text: string, tree: string): string {
  const tops = getSpellings(tree)
  return [...tops.map(top => pathToFileURL(top).href), ...tops].reduce(
    (rest, top) => rest.replaceAll(`${top}/`, ''),
    text,
  )
}
