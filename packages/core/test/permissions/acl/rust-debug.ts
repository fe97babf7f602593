// Reads what Rust's `{:#?}` writes, which is how Tauri's snapshots are kept: structs, enum variants, maps and lists.

/** An enum variant, such as `Some(2)`, `Remote { url: … }` or `None`, with its name and content. */
export interface Variant {
  name: string
  fields?: Record<string, RustValue>
  items?: RustValue[]
}
export type RustValue = string | number | boolean | RustValue[] | Map<string, RustValue> | Variant

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[[\](){}:,])/y

export function readRustDebug(text: string): RustValue {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let at = TOKEN.exec(text); at; at = TOKEN.exec(text)) tokens.push(at[1]!)
  const reader = new Reader(tokens)
  const value = reader.value()
  if (!reader.isDone) throw new Error('there is more than one value')
  return value
}

class Reader {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  get isDone(): boolean {
    return this.#at === this.#tokens.length
  }

  value(): RustValue {
    const token = this.#next()
    if (token === '[') return this.#list(']', () => this.value())
    if (token === '{') return new Map(this.#list('}', () => this.#pair()))
    if (token.startsWith('"')) return JSON.parse(token.replaceAll("\\'", "'")) as string
    if (token.startsWith("'")) return token.slice(1, -1)
    if (/^-?\d/.test(token)) return Number(token)
    if (token === 'true' || token === 'false') return token === 'true'
    if (this.#tokens[this.#at] === '(') {
      this.#next()
      return { name: token, items: this.#list(')', () => this.value()) }
    }
    if (this.#tokens[this.#at] !== '{') return { name: token }
    this.#next()
    return { name: token, fields: Object.fromEntries(this.#list('}', () => this.#pair())) }
  }

  #pair(): [string, RustValue] {
    const key = /^[A-Za-z_]/.test(this.#tokens[this.#at] ?? '') ? this.#next() : String(this.value())
    if (this.#next() !== ':') throw new Error(`no ":" after ${key}`)
    return [key, this.value()]
  }

  #list<T>(end: string, read: () => T): T[] {
    const items: T[] = []
    while (this.#tokens[this.#at] !== end) {
      items.push(read())
      if (this.#tokens[this.#at] === ',') this.#next()
    }
    this.#next()
    return items
  }

  #next(): string {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new Error('the text ends within a value')
    return token
  }
}
