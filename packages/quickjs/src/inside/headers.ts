// Headers of a script in QuickJS. The host checks names and values when they are sent.

type Pair = [name: string, value: string]

export class Headers {
  readonly #pairs = new Map<string, string[]>()

  constructor(init: unknown = {}) {
    if (typeof init !== 'object' || init === null) throw new TypeError('Headers: takes an object or pairs')
    const pairs = Symbol.iterator in init ? [...(init as Iterable<Iterable<unknown>>)] : Object.entries(init)
    for (const pair of pairs) {
      const [name, value] = pair
      this.append(name, value)
    }
  }

  append(name: unknown, value: unknown): void {
    const key = String(name).toLowerCase()
    this.#pairs.set(key, [...(this.#pairs.get(key) ?? []), String(value).trim()])
  }

  delete(name: unknown): void {
    this.#pairs.delete(String(name).toLowerCase())
  }

  get(name: unknown): string | null {
    return this.#pairs.get(String(name).toLowerCase())?.join(', ') ?? null
  }

  getSetCookie(): string[] {
    return [...(this.#pairs.get('set-cookie') ?? [])]
  }

  has(name: unknown): boolean {
    return this.#pairs.has(String(name).toLowerCase())
  }

  set(name: unknown, value: unknown): void {
    this.#pairs.set(String(name).toLowerCase(), [String(value).trim()])
  }

  forEach(handle: (value: string, name: string, headers: this) => void): void {
    for (const [name, value] of this) handle(value, name, this)
  }

  *entries(): IterableIterator<Pair> {
    const names = [...this.#pairs.keys()].toSorted()
    for (const name of names) {
      const values = this.#pairs.get(name) ?? []
      for (const value of name === 'set-cookie' ? values : [values.join(', ')]) yield [name, value]
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value
  }

  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries()
  }
}
