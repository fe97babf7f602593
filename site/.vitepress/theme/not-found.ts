// The page for an address without a page.
import { withBase } from 'vitepress'
import { h, type FunctionalComponent } from 'vue'

const LINKS = [
  ['Home', '/'],
  ['Quick start', '/guide/quick-start'],
  ['Options and methods', '/reference/options'],
  ['API', '/api/core/'],
] as const

const NotFound: FunctionalComponent = () =>
  h('main', { class: 'not-found vp-doc' }, [
    h('h1', 'There is no such page'),
    h('p', 'Search for it, or begin here:'),
    h(
      'ul',
      LINKS.map(([text, link]) => h('li', h('a', { href: withBase(link) }, text))),
    ),
  ])

export default NotFound
