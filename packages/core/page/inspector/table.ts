// A table whose rows come, change and go. A row keeps its cells: what is selected or focused in it stays.
import { make, setAttribute, setText } from './dom.js'

export interface Cell {
  text: string
  /** A class: `bad`, `soft`, … */
  tone?: string
}

export interface Column<Row> {
  title: string
  /** What its title leaves unsaid. */
  about?: string
  /** Text, and not a figure. */
  isWords?: true
  cell(row: Row): string | Cell
}

export interface Table<Row> {
  /** @param empty what stands there in place of rows */
  show(rows: readonly Row[], empty: string): void
}

/** @param keyOf what makes a row the same one as before */
export function createTable<Row>(
  table: HTMLTableElement,
  caption: string,
  columns: readonly Column<Row>[],
  keyOf: (row: Row) => string,
): Table<Row> {
  const headings = columns.map(({ title, about, isWords }) =>
    make('th', { scope: 'col', ...(about && { title: about }), ...(isWords && { class: 'words' }) }, title),
  )
  const body = make('tbody')
  const empty = make('td', { class: 'words soft', colspan: String(columns.length) })
  table.append(make('caption', { class: 'hidden' }, caption), make('thead', {}, make('tr', {}, ...headings)), body)
  let known = new Map<string, HTMLElement[]>()

  const makeRow = (): HTMLElement[] =>
    columns.map(({ isWords }, at) =>
      // A text of somebody else's: it turns around nothing beside it.
      at === 0 ? make('th', { scope: 'row', dir: 'auto' }) : make('td', isWords ? { dir: 'auto' } : {}),
    )
  return {
    show(rows, none) {
      const next = new Map<string, HTMLElement[]>()
      rows.forEach((row, at) => {
        const key = keyOf(row)
        const cells = known.get(key) ?? makeRow()
        next.set(key, cells)
        columns.forEach(({ cell, isWords }, column) => {
          const given = cell(row)
          const { text, tone = '' } = typeof given === 'string' ? { text: given } : given
          setText(cells[column]!, text)
          setAttribute(cells[column]!, 'class', [isWords && 'words', tone].filter(Boolean).join(' '))
        })
        const line = cells[0]!.parentElement ?? make('tr', {}, ...cells)
        if (body.children[at] !== line) body.insertBefore(line, body.children[at] ?? null)
      })
      while (body.children.length > rows.length) body.lastElementChild!.remove()
      known = next
      if (rows.length > 0) return
      setText(empty, none)
      body.append(make('tr', {}, empty))
    },
  }
}
