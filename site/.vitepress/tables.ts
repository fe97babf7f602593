// Tables for narrow screens, where each row is a block and each cell has the title of its column; and an address for each option.
import GithubSlugger from 'github-slugger'
import type { MarkdownRenderer } from 'vitepress'

type State = Parameters<Parameters<MarkdownRenderer['core']['ruler']['push']>[1]>[0]
type Token = State['tokens'][number]

/** The words, without the link that a heading has to itself. */
const toPlainText = ({ children }: Token): string =>
  (children ?? [])
    .filter(({ type }) => type === 'text' || type === 'code_inline')
    .map(({ content }) => content)
    .join('')
    .trim()

const isLabel = (text: string | undefined): text is string => text !== undefined && text !== ''

/** @param hasOptions gives each row the id of the option that its first cell names, and makes that cell a link to it */
export function labelTables(state: State, hasOptions: boolean): void {
  const slugger = new GithubSlugger()
  let section = ''
  let titles: string[] = []
  let column = 0
  let row: Token | undefined
  for (const [at, token] of state.tokens.entries()) {
    const inner = state.tokens[at + 1]!
    if (token.type === 'heading_open') {
      if (token.tag === 'h2') section = getPrefix(toPlainText(inner))
      slugger.slug(toPlainText(inner))
    } else if (token.type === 'table_open') titles = []
    else if (token.type === 'tr_open') {
      row = token
      column = 0
    } else if (token.type === 'th_open') {
      const title = toPlainText(inner)
      titles.push(title)
      // A header without words is none to a screen reader.
      if (!isLabel(title)) token.tag = state.tokens[at + 2]!.tag = 'td'
    }
    if (token.type === 'td_open') {
      const title = titles[column]
      if (isLabel(title)) token.attrSet('data-label', title)
      if (hasOptions && column === 0) addAddress(state, row!, inner, section, slugger)
      column++
    }
  }
}

/** The main table has options without a prefix. Others have the noun of their heading: `frontend-sandbox`, `run-timeout`. */
const getPrefix = (heading: string): string => (heading.includes(' ') ? `${heading.split(' ').at(-1)}-` : '')

function addAddress({ Token }: State, row: Token, cell: Token, section: string, slugger: GithubSlugger): void {
  const code = cell.children?.find(({ type }) => type === 'code_inline')
  const name = code && /^[\w.]+/.exec(code.content)?.[0]
  if (name === undefined) return
  const id = slugger.slug(`${section}${name.replaceAll('.', '-')}`)
  row.attrSet('id', id)
  const open = new Token('link_open', 'a', 1)
  open.attrSet('class', 'option')
  open.attrSet('href', `#${id}`)
  cell.children = [open, ...cell.children!, new Token('link_close', 'a', -1)]
}
