// A table whose rows come, change and go. Rows keep their elements, and so selection and focus. A click on a title sorts.
import { create, setAttribute, setText } from './dom.js'
import { count, micros } from './figures.js'

export interface Column<Row> {
  title: string
  about?: string
  getValue(row: Row): string | number | undefined
  format?(value: number): string
  getTone?(row: Row): string
  getTitle?(row: Row): string
  onClick?(row: Row): void
  /** True if the button is pressed. */
  isPressed?(row: Row): boolean
  /** Hides the column while none of its values is more than 0. */
  isOptional?: true
}

/** A count that needs attention unless it is 0. */
export const trouble = <R>(title: string, getValue: (row: R) => number | undefined, about = ''): Column<R> => ({
  ...{ title, about, getValue, format: count },
  getTone: row => (getValue(row) ? 'bad' : 'soft'),
})

export const percentile = <R>(title: string, about: string, get: (row: R) => number | undefined): Column<R> => ({
  ...{ title, about, format: micros },
  getValue: row => get(row) || undefined,
})

/** @param placeholder - shown if there are no rows */
type ShowRows<Row> = (rows: readonly Row[], placeholder: string) => void

/** Returns a function that shows rows. @param getKey - identifies a row across calls of that function */
export function createTable<Row>(
  table: HTMLTableElement,
  caption: string,
  columns: readonly Column<Row>[],
  getKey: (row: Row) => string,
): ShowRows<Row> {
  const headings = columns.map(({ title, about, format }, column) => {
    const button = create('button', { type: 'button' }, title)
    button.addEventListener('click', () => sortBy(column))
    return create('th', { scope: 'col', ...(about && { title: about }), ...(!format && { class: 'words' }) }, button)
  })
  const body = create('tbody')
  const empty = create('td', { class: 'words soft', colspan: String(columns.length) })
  table.append(
    create('caption', { class: 'hidden' }, caption),
    create('thead', {}, create('tr', {}, ...headings)),
    body,
  )
  let cellsByKey = new Map<string, HTMLElement[]>()
  let rowsByKey = new Map<string, Row>()
  let last: Parameters<ShowRows<Row>> = [[], '']
  let sorted: number | undefined
  let isDescending = false

  /** Largest numbers or first words first, then the other way around, then in the order of the rows. */
  const sortBy = (column: number): void => {
    const isFirstDescending = columns[column]!.format !== undefined
    if (sorted !== column) [sorted, isDescending] = [column, isFirstDescending]
    else if (isDescending === isFirstDescending) isDescending = !isDescending
    else sorted = undefined
    headings.forEach((heading, i) => {
      if (i === sorted) heading.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending')
      else heading.removeAttribute('aria-sort')
    })
    show(...last)
  }
  const sort = (rows: readonly Row[]): readonly Row[] => {
    if (sorted === undefined) return rows
    const { getValue } = columns[sorted]!
    const compare = (a: Row, b: Row): number => {
      const [x, y] = [getValue(a) ?? -1, getValue(b) ?? -1]
      return typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)
    }
    return rows.toSorted(isDescending ? (a, b) => compare(b, a) : compare)
  }
  // With `dir: auto` text of third parties does not reorder the text around it.
  const createCells = (key: string): HTMLElement[] =>
    columns.map(({ format, onClick }, i) => {
      const cell = i === 0 ? create('th', { scope: 'row', dir: 'auto' }) : create('td', format ? {} : { dir: 'auto' })
      if (!onClick) return cell
      const button = create('button', { type: 'button', class: 'link' })
      button.addEventListener('click', () => onClick(rowsByKey.get(key)!))
      cell.append(button)
      return cell
    })
  const show: ShowRows<Row> = (rows, placeholder) => {
    last = [rows, placeholder]
    const next = new Map<string, HTMLElement[]>()
    rowsByKey = new Map(rows.map(row => [getKey(row), row]))
    const isHidden = columns.map(({ isOptional, getValue }) => isOptional === true && !rows.some(getValue))
    headings.forEach((heading, i) => (heading.hidden = isHidden[i]!))
    sort(rows).forEach((row, index) => {
      const key = getKey(row)
      const cells = cellsByKey.get(key) ?? createCells(key)
      next.set(key, cells)
      columns.forEach(({ getValue, format = String, getTone, getTitle, onClick, isPressed }, i) => {
        const [value, cell] = [getValue(row), cells[i]!]
        const target = onClick ? cell.firstElementChild! : cell
        setText(target, typeof value === 'number' ? format(value) : (value ?? '–'))
        if (getTitle) setAttribute(cell, 'title', getTitle(row))
        if (isPressed) setAttribute(target, 'aria-pressed', String(isPressed(row)))
        setAttribute(cell, 'class', [headings[i]!.className, getTone?.(row)].filter(Boolean).join(' '))
        cell.hidden = isHidden[i]!
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
  return show
}
