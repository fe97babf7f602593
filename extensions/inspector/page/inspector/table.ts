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

/** Rows, in order, and what is shown if there are none. */
type Shown<Row> = [rows: readonly Row[], placeholder: string]

export class Table<Row> {
  readonly #columns: readonly Column<Row>[]
  readonly #getKey: (row: Row) => string
  readonly #headings: HTMLElement[]
  readonly #body = create('tbody')
  readonly #empty: HTMLElement
  #cellsByKey = new Map<string, HTMLElement[]>()
  #rowsByKey = new Map<string, Row>()
  #last: Shown<Row> = [[], '']
  #sorted: number | undefined
  #isDescending = false

  /** @param getKey - identifies a row across calls of `show` */
  constructor(table: HTMLTableElement, caption: string, columns: readonly Column<Row>[], getKey: (row: Row) => string) {
    this.#columns = columns
    this.#getKey = getKey
    this.#headings = columns.map((column, at) => this.#createHeading(column, at))
    this.#empty = create('td', { class: 'words soft', colspan: String(columns.length) })
    table.append(
      create('caption', { class: 'hidden' }, caption),
      create('thead', {}, create('tr', {}, ...this.#headings)),
      this.#body,
    )
  }

  show(...[rows, placeholder]: Shown<Row>): void {
    this.#last = [rows, placeholder]
    this.#rowsByKey = new Map(rows.map(row => [this.#getKey(row), row]))
    const isHidden = this.#columns.map(({ isOptional, getValue }) => isOptional === true && !rows.some(getValue))
    this.#headings.forEach((heading, i) => (heading.hidden = isHidden[i]!))
    const next = new Map<string, HTMLElement[]>()
    this.#sort(rows).forEach((row, index) => {
      const key = this.#getKey(row)
      const cells = this.#cellsByKey.get(key) ?? this.#createCells(key)
      next.set(key, cells)
      cells.forEach((cell, i) => this.#fill(cell, row, i, isHidden[i]!))
      const line = cells[0]!.parentElement ?? create('tr', {}, ...cells)
      if (this.#body.children[index] !== line) this.#body.insertBefore(line, this.#body.children[index] ?? null)
    })
    while (this.#body.children.length > rows.length) this.#body.lastElementChild!.remove()
    this.#cellsByKey = next
    if (rows.length > 0) return
    setText(this.#empty, placeholder)
    this.#body.append(create('tr', {}, this.#empty))
  }

  #createHeading({ title, about, format }: Column<Row>, at: number): HTMLElement {
    const button = create('button', { type: 'button' }, title)
    button.addEventListener('click', () => this.#sortBy(at))
    return create('th', { scope: 'col', ...(about && { title: about }), ...(!format && { class: 'words' }) }, button)
  }

  /** Largest numbers or first words first, then the other way around, then in the order of the rows. */
  #sortBy(column: number): void {
    const isFirstDescending = this.#columns[column]!.format !== undefined
    if (this.#sorted !== column) [this.#sorted, this.#isDescending] = [column, isFirstDescending]
    else if (this.#isDescending === isFirstDescending) this.#isDescending = !this.#isDescending
    else this.#sorted = undefined
    this.#headings.forEach((heading, i) => {
      if (i === this.#sorted) heading.setAttribute('aria-sort', this.#isDescending ? 'descending' : 'ascending')
      else heading.removeAttribute('aria-sort')
    })
    this.show(...this.#last)
  }

  #sort(rows: readonly Row[]): readonly Row[] {
    if (this.#sorted === undefined) return rows
    const { getValue } = this.#columns[this.#sorted]!
    const compare = (a: Row, b: Row): number => {
      const [x, y] = [getValue(a) ?? -1, getValue(b) ?? -1]
      return typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)
    }
    return rows.toSorted(this.#isDescending ? (a, b) => compare(b, a) : compare)
  }

  // With `dir: auto` text of third parties does not reorder the text around it.
  #createCells(key: string): HTMLElement[] {
    return this.#columns.map(({ format, onClick }, i) => {
      const cell = i === 0 ? create('th', { scope: 'row', dir: 'auto' }) : create('td', format ? {} : { dir: 'auto' })
      if (!onClick) return cell
      const button = create('button', { type: 'button', class: 'link' })
      button.addEventListener('click', () => onClick(this.#rowsByKey.get(key)!))
      cell.append(button)
      return cell
    })
  }

  #fill(cell: HTMLElement, row: Row, column: number, isHidden: boolean): void {
    const { getValue, format = String, getTone, getTitle, onClick, isPressed } = this.#columns[column]!
    const value = getValue(row)
    const target = onClick ? cell.firstElementChild! : cell
    setText(target, typeof value === 'number' ? format(value) : (value ?? '–'))
    if (getTitle) setAttribute(cell, 'title', getTitle(row))
    if (isPressed) setAttribute(target, 'aria-pressed', String(isPressed(row)))
    setAttribute(cell, 'class', [this.#headings[column]!.className, getTone?.(row)].filter(Boolean).join(' '))
    cell.hidden = isHidden
  }
}
