// Where the files of the repository are on the site: pages by their address, other files in the repository itself. README is the first page there.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from '../blocks/markdown.js'

/** As in VitePress's `rewrites`: the page's file, and its address with `.md`. */
export const rewrites: Record<string, string> = {
  'site/index.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'reporting.md',
  'docs/guide/:page': 'guide/:page',
  'docs/reference/:page': 'reference/:page',
  'docs/internals/:page': 'internals/:page',
  'docs/adr/:page': 'adr/:page',
  'site/api/:page*': 'api/:page*',
}

const { GITHUB_SERVER_URL = 'https://github.com', GITHUB_REPOSITORY } = process.env

interface Manifest {
  repository?: { url: string }
}

const { repository: declared } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')) as Manifest

/** The address of the repository: that of the package, or of the one that GitHub's workflows build. Before both it has none. */
export const repository: string | undefined =
  declared?.url.replace(/^git\+|\.git$/g, '') ?? (GITHUB_REPOSITORY && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`)

/** The address of a page on the site, without its ending; `undefined` of what is no page. */
function addressOf(path: string): string | undefined {
  if (path === 'README.md') return '/'
  const renamed = rewrites[path]
  const address = renamed ?? /^(?:docs|site(?=\/api\/))\/(.+\.md)$/.exec(path)?.[1]
  return address === undefined ? undefined : `/${address.replace(/(^|\/)index\.md$|\.md$/, '$1')}`
}

/** The file of a page, by the path that VitePress knows it by: as it was before the rewrites, or after them. */
export function sourceOf(path: string): string {
  if (/^(docs|site)\//.test(path) || path in rewrites) return path
  const [renamed] = Object.entries(rewrites).find(([, to]) => to === path) ?? []
  return renamed ?? (path.startsWith('api/') ? `site/${path}` : `docs/${path}`)
}

/**
 * Returns the address of a link, or `undefined` for a file of a repository without an address.
 *
 * @param page in the repository: `docs/reference/options.md`
 * @throws {Error} if the link leads to nothing
 */
export function resolveLink(page: string, link: string, base: string | undefined = repository): string | undefined {
  if (/^([a-z]+:|#|\/)/.test(link)) return link
  const [place = '', anchor] = link.split('#')
  const path = join(root, dirname(page), place)
  if (!existsSync(path)) throw new Error(`${page}: dead link ${link}`)
  const name = relative(root, path).replaceAll('\\', '/').replace(/\/$/, '')
  const hash = anchor === undefined ? '' : `#${anchor}`
  const address = addressOf(name)
  if (address !== undefined) return address + hash
  // The decisions have no page of their own: the first of them has their list beside it.
  if (name === 'docs/adr') return '/adr/0003-where-we-differ-from-tauri-on-labels'
  if (base === undefined || name === '') return base
  return `${base}/${statSync(path).isDirectory() ? 'tree' : 'blob'}/main/${name}${hash}`
}
