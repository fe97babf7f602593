// A table whose rows come, change and go. Rows keep their elements, and so selection and focus.
import { create, setAttribute, setText } from './dom.js'

export interface Cell {
  text: string
  /** Classes: `bad`, `soft`, … */
  tone?: string
}

export interface Column<Row> {
  title: string
  /** A tooltip of the title. */
  about?: string
  /** Text instead of a figure. */
  isWords?: true
  getCell(row: Row): string | Cell
}

/** @param placeholder - shown if there are no rows */
type ShowRows<Row> = (rows: readonly Row[], placeholder: string) => void

/**
 * Returns a function that shows rows.
 *
 * @param getKey - identifies a row across calls of that function
 */
export function createTable<Row>(
  table: HTMLTableElement,
  caption: string,
  columns: readonly Column<Row>[],
  getKey: (row: Row) => string,
): ShowRows<Row> {
  const headings = columns.map(({ title, about, isWords }) =>
    create('th', { scope: 'col', ...(about && { title: about }), ...(isWords && { class: 'words' }) }, title),
  )
  const body = create('tbody')
  const empty = create('td', { class: 'words soft', colspan: String(columns.length) })
  table.append(
    create('caption', { class: 'hidden' }, caption),
    create('thead', {}, create('tr', {}, ...headings)),
    body,
  )
  let cellsByKey = new Map<string, HTMLElement[]>()

  // With `dir: auto` text of third parties does not reorder the text around it.
  const createCells = (): HTMLElement[] =>
    columns.map(({ isWords }, i) =>
      i === 0 ? create('th', { scope: 'row', dir: 'auto' }) : create('td', isWords ? { dir: 'auto' } : {}),
    )
  return (rows, placeholder) => {
    const next = new Map<string, HTMLElement[]>()
    rows.forEach((row, index) => {
      const key = getKey(row)
      const cells = cellsByKey.get(key) ?? createCells()
      next.set(key, cells)
      columns.forEach(({ getCell, isWords }, i) => {
        const cell = getCell(row)
        const { text, tone = '' } = typeof cell === 'string' ? { text: cell } : cell
        setText(cells[i]!, text)
        setAttribute(cells[i]!, 'class', [isWords && 'words', tone].filter(Boolean).join(' '))
      })
      const line = cells[0]!.parentElement ?? create('tr', {}, ...cells)
      if (body.children[index] !== line) body.insertBefore(line, body.children[index] ?? null)
    })
    while (body.children.length > rows.length) body.lastElementChild!.remove()
    cellsByKey = next
    if (rows.length > 0) return
    setText(empty, placeholder)
    body.append(create('tr', {}, empty))
  }
}
