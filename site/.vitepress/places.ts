// Where the files of the repository are on the site: pages by their address, other files in the repository itself. README is the first page there.
import { existsSync, statSync } from 'node:fs'
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
  'site/api/:page': 'api/:page',
}

const { GITHUB_SERVER_URL = 'https://github.com', GITHUB_REPOSITORY } = process.env

/** Of the repository that is built in GitHub's workflows; elsewhere it has no name. */
export const repository: string | undefined = GITHUB_REPOSITORY && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`

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
 * What a link of a page becomes.
 * @param page in the repository: `docs/reference/options.md`
 * @throws where it leads to nothing
 */
export function resolveLink(page: string, link: string): string {
  if (/^([a-z]+:|#|\/)/.test(link)) return link
  const [place = '', anchor] = link.split('#')
  const path = join(root, dirname(page), place)
  if (!existsSync(path)) throw new Error(`${page}: dead link ${link}`)
  const name = relative(root, path).replaceAll('\\', '/').replace(/\/$/, '')
  const hash = anchor === undefined ? '' : `#${anchor}`
  const address = addressOf(name)
  if (address !== undefined) return address + hash
  // The decisions have no page of their own: the first of them has their list beside it.
  if (name === 'docs/adr') return '/adr/0001-one-life-for-three-workers'
  return `${repository ?? 'https://github.com/OWNER/sallyport'}/${statSync(path).isDirectory() ? 'tree' : 'blob'}/main/${name}${hash}`
}
