// The order of the pages. A page without a place comes after the others.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'
import { root } from '../blocks/markdown.js'

/** Pages of `docs/` by the task of the reader, without their ending. */
const ORDER = {
  Start: ['quick-start', 'concepts', 'choose-a-sandbox', 'examples', 'what-it-is-not-for', 'migrating'].map(
    name => `guide/${name}`,
  ),
  'Call and stream': ['commands', 'streams-and-cancellation', 'events', 'typescript'].map(name => `guide/${name}`),
  'Run scripts and agents': ['scripts', 'code-mode', 'mcp', 'mcp-wrap'].map(name => `guide/${name}`),
  'Limit frontends': ['permissions', 'plugins', 'isolation-hooks'].map(name => `guide/${name}`),
  'Develop and test': ['development', 'troubleshooting', 'web', 'tauri'].map(name => `guide/${name}`),
  'Run in production': ['deploying', 'reliability', 'observability', 'performance', 'nats'].map(
    name => `guide/${name}`,
  ),
  Reference: [
    'options',
    'error-codes',
    'error-messages',
    'limits',
    'configuration-files',
    'cli',
    'security',
    'attempts',
    'support',
    'regression-check',
  ].map(name => `reference/${name}`),
  Internals: [
    'architecture',
    'borders',
    'trials',
    'machines',
    'wire',
    'records',
    'nats-protocol',
    'benchmark',
    'results',
  ].map(name => `internals/${name}`),
}

/** A page's first heading, up to its colon. */
const titleOf = (path: string): string =>
  /^# ([^:\n]+)/m.exec(readFileSync(join(root, path), 'utf8'))?.[1]?.replaceAll('`', '') ?? path

const item = (path: string, link: string): DefaultTheme.SidebarItem => ({ text: titleOf(path), link })

const filesOf = (folder: string): string[] => {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  const files = readdirSync(path).filter(file => file.endsWith('.md') && file !== 'README.md')
  return files.map(file => file.slice(0, -3)).toSorted()
}

/** The entries of the packages: their index has a link to the page of each export. */
const directoriesOf = (path: string): string[] => {
  const entries = existsSync(join(root, path)) ? readdirSync(join(root, path), { withFileTypes: true }) : []
  return entries
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
}

const GROUPED = ['guide', 'reference', 'internals']

/** The groups of the guides, for the menu: a narrow screen has no sidebar on the first page. */
export const guides = (): DefaultTheme.NavItemChildren[] =>
  Object.entries(ORDER)
    .filter(([, names]) => names[0]?.startsWith('guide/'))
    .map(([text, names]) => ({
      text,
      items: names.map(name => ({ text: titleOf(`docs/${name}.md`), link: `/${name}` })),
    }))

export function sidebar(): DefaultTheme.SidebarItem[] {
  const there = GROUPED.flatMap(folder => filesOf(`docs/${folder}`).map(name => `${folder}/${name}`))
  const placed = Object.values(ORDER).flat()
  const group = (text: string, items: DefaultTheme.SidebarItem[], collapsed = false): DefaultTheme.SidebarItem => ({
    text,
    items,
    collapsed,
  })
  const present = (names: readonly string[]): DefaultTheme.SidebarItem[] =>
    names.filter(name => there.includes(name)).map(name => item(`docs/${name}.md`, `/${name}`))
  return [
    ...Object.entries({ ...ORDER, More: there.filter(name => !placed.includes(name)) })
      .map(([text, names]) => group(text, present(names), text === 'Internals'))
      .filter(({ items }) => items?.length),
    group(
      'API reference',
      directoriesOf('site/api').map(name => item(`site/api/${name}/index.md`, `/api/${name}/`)),
    ),
    group(
      'Decisions',
      filesOf('docs/adr').map(name => item(`docs/adr/${name}.md`, `/adr/${name}`)),
      true,
    ),
    group('Project', [
      { text: 'Changes', link: '/changelog' },
      { text: 'Contributing', link: '/contributing' },
      { text: 'Reporting a vulnerability', link: '/reporting' },
    ]),
  ]
}
