// node scripts/install-boxes.mjs: writes the install commands of all pages. They install from a clone until the packages are on npm.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { getDirectory } from './packed/pack.mjs'

/** The switch for the day of publishing: set it to true, and run this script. */
export const PUBLISHED = false

const root = fileURLToPath(new URL('../', import.meta.url))
/** A clone that is next to the reader's project. */
const CLONE = '../sallyport'
const BUILD = `npm --prefix ${CLONE} run build\n`
/** The first boxes say how to get the clone. */
const GET = /^git clone .*\n/m
const BENCH = [`npm --prefix ${CLONE} run bench --`, 'npx -p @sallyport/bench sallyport-bench']
const ALONE = / run bench(?: --)?$/gm

/** A command in lines of at most 80 characters. */
const toLines = command =>
  `${command
    .replaceAll('\\\n  ', '')
    .match(/\S.{0,75}(?=\s|$)/g)
    .join(' \\\n  ')}\n`

/**
 * Returns a page with its boxes for a clone or for npm. For npm, it lacks the text in `<!-- unpublished -->`.
 *
 * @param {string} page
 */
export function toInstallBoxes(page, isPublished = PUBLISHED) {
  const [from, to] = isPublished ? [0, 1] : [1, 0]
  const toBox = box => {
    const [install] = /^npm install (?:.*\\\n)*.*(@sallyport\/|\.\.\/sallyport\/).*\n/m.exec(box) ?? []
    if (install === undefined) return box
    const line = toLines(
      isPublished
        ? install.replaceAll(/\.\.\/sallyport\/\w+\//g, '@sallyport/')
        : install.replaceAll(/@sallyport\/([\w-]+)/g, (_, name) => `${CLONE}/${getDirectory(name)}`),
    )
    const rest = box.replace(BUILD, '')
    return isPublished ? rest.replace(GET, '').replace(install, () => line) : rest.replace(install, () => BUILD + line)
  }
  const text = page
    .replaceAll(ALONE, ' run bench --')
    .replaceAll(BENCH[from], BENCH[to])
    .replaceAll(ALONE, ' run bench')
    .replaceAll(/^```sh\n[^]*?^```$/gm, toBox)
  return isPublished ? text.replaceAll(/<!-- unpublished -->[^]*?<!-- \/unpublished -->\n*/g, '') : text
}

/** Paths of the pages that users read. */
export const getPages = () =>
  execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(path => path && path !== 'CHANGELOG.md' && !/^docs\/adr\/|\.api\.md$/.test(path))

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const path of getPages()) {
    const text = readFileSync(root + path, 'utf8')
    const boxes = toInstallBoxes(text)
    if (boxes !== text) writeFileSync(root + path, boxes)
  }
