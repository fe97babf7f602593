// The order of the pages. One that is not there yet has its place here already, and appears with its file; a page that has no
// place comes after the others.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'
import { root } from '../blocks/markdown.js'

/** Files of `docs/` without their ending, by group. */
const ORDER = {
  Start: ['getting-started', 'concepts', 'migrating', 'tauri'],
  'Between frontend and core': ['commands', 'events', 'calls', 'types', 'xstate', 'guide', 'errors'],
  'Who may do what': ['capabilities', 'isolation-hooks', 'security'],
  'In your program': [
    'embedding',
    'typescript',
    'testing',
    'supervision',
    'flow-control',
    'nats',
    'scaling',
    'networks',
    'observability',
    'tracing',
    'inspector',
  ],
  Shipping: ['packaging', 'bundlers', 'support'],
  Performance: ['performance', 'results', 'benchmarking', 'gate', 'reports', 'ci'],
  Inside: ['architecture', 'machines', 'wire', 'records'],
}

/** A page's first heading, up to its colon. */
const titleOf = (path: string): string =>
  /^# ([^:\n]+)/m.exec(readFileSync(join(root, path), 'utf8'))?.[1]?.replaceAll('`', '') ?? path

const item = (path: string, link: string): DefaultTheme.SidebarItem => ({ text: titleOf(path), link })

const filesOf = (folder: string): string[] => {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  const files = readdirSync(path).filter(file => file.endsWith('.md'))
  return files.map(file => file.slice(0, -3)).toSorted()
}

export function sidebar(): DefaultTheme.SidebarItem[] {
  const there = filesOf('docs')
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
      .map(([text, names]) => group(text, present(names)))
      .filter(({ items }) => items?.length),
    group(
      'API reference',
      filesOf('site/api').map(name => item(`site/api/${name}.md`, `/api/${name}`)),
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
