// Lists of names and values of a script in QuickJS: Headers, URLSearchParams, and what FormData has in common with them.
import { convertJson } from './port.js'

type Pair<V> = [name: string, value: V]

export let onChange: (pairs: PairList<string>, run: () => void) => void

/** A name can be there several times, in any order. */
export class PairList<V> {
  readonly #toValue: (value: unknown, filename?: unknown) => V
  readonly #toName: (name: unknown) => string
  #pairs: Pair<V>[] = []
  #onChange = (): void => {}

  static {
    onChange = (pairs, run) => void (pairs.#onChange = run)
  }

  constructor(toValue: (value: unknown, filename?: unknown) => V, toName: (name: unknown) => string = String) {
    this.#toValue = toValue
    this.#toName = toName
  }

  #change(pairs: Pair<V>[]): void {
    this.#pairs = pairs
    this.#onChange()
  }

  append(name: unknown, value: unknown, filename?: unknown): void {
    this.#pairs.push([this.#toName(name), this.#toValue(value, filename)])
    this.#onChange()
  }

  delete(name: unknown): void {
    const removed = this.#toName(name)
    this.#change(this.#pairs.filter(([key]) => key !== removed))
  }

  get(name: unknown): V | null {
    return this.getAll(name)[0] ?? null
  }

  getAll(name: unknown): V[] {
    const wanted = this.#toName(name)
    return this.#pairs.filter(([key]) => key === wanted).map(([, value]) => value)
  }

  has(name: unknown): boolean {
    return this.getAll(name).length > 0
  }

  set(name: unknown, value: unknown, filename?: unknown): void {
    const pair: Pair<V> = [this.#toName(name), this.#toValue(value, filename)]
    const index = this.#pairs.findIndex(([key]) => key === pair[0])
    if (index < 0) return this.append(name, value, filename)
    this.#change(this.#pairs.flatMap((each, at) => (at === index ? [pair] : each[0] === pair[0] ? [] : [each])))
  }

  sort(): void {
    this.#change(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))))
  }

  forEach(handle: (value: V, name: string, pairs: this) => void): void {
    for (const [name, value] of this) handle(value, name, this)
  }

  *entries(): IterableIterator<Pair<V>> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value
  }

  [Symbol.iterator](): IterableIterator<Pair<V>> {
    return this.entries()
  }
}

/** Returns the pairs that a constructor of the web takes. */
const toPairs = (init: object): Iterable<Iterable<unknown>> =>
  Symbol.iterator in init ? (init as Iterable<Iterable<unknown>>) : Object.entries(init)

export class URLSearchParams extends PairList<string> {
  constructor(init: unknown = '') {
    super(String)
    const pairs = typeof init === 'object' && init !== null ? toPairs(init) : convertJson('query', String(init))
    for (const [name, value] of pairs as Iterable<Iterable<unknown>>) this.append(name, value)
  }

  get size(): number {
    return [...this].length
  }

  override toString(): string {
    return convertJson('to-query', [...this]) as string
  }
}

/** The host checks names and values when they are sent. */
export class Headers extends PairList<string> {
  constructor(init: unknown = {}) {
    super(
      value => String(value).trim(),
      name => String(name).toLowerCase(),
    )
    if (typeof init !== 'object' || init === null) throw new TypeError('Headers: takes an object or pairs')
    for (const [name, value] of toPairs(init)) this.append(name, value)
  }

  override get(name: unknown): string | null {
    return this.has(name) ? this.getAll(name).join(', ') : null
  }

  getSetCookie(): string[] {
    return this.getAll('set-cookie')
  }

  override *entries(): IterableIterator<Pair<string>> {
    const names = new Set(Array.from(super.entries(), ([name]) => name))
    for (const name of [...names].toSorted()) {
      const values = this.getAll(name)
      for (const value of name === 'set-cookie' ? values : [values.join(', ')]) yield [name, value]
    }
  }
}
