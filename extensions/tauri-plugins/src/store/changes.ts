// The content of a store, its limits, and the changes that its holders are notified of.
import type { Content } from './file.js'

/** One change. `exists` is false if the key was removed. */
export interface Change {
  readonly key: string
  readonly value: unknown
  readonly exists: boolean
}

interface Entry {
  readonly value: unknown
  readonly json: string
}

/** Each key of a store that is replaced is an event. */
const MAX_KEYS = 10_000

/** Values by key, as JSON would keep them. */
export class StoreContent {
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  get keys(): string[] {
    return [...this.#entries.keys()]
  }

  get entries(): [string, unknown][] {
    return Array.from(this.#entries, ([key, { value }]) => [key, value])
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): unknown {
    return this.#entries.get(key)?.value ?? null
  }

  /** @throws {Error} if the value cannot be serialized, or the content would exceed a limit */
  set(key: string, value: unknown): Change {
    if (this.size >= MAX_KEYS && !this.has(key))
      throw new Error(`Failed to serialize store. It would have more than ${MAX_KEYS} keys.`)
    const json = JSON.stringify(value ?? null)
    const bytes = this.#bytes + getBytes(key, json) - this.#getBytes(key)
    if (bytes > this.#maxBytes) {
      throw new Error(`Failed to serialize store. It would have more than ${this.#maxBytes} bytes.`)
    }
    const copy: unknown = JSON.parse(json)
    this.#entries.set(key, { value: copy, json })
    this.#bytes = bytes
    return { key, value: copy, exists: true }
  }

  delete(key: string): Change | undefined {
    const bytes = this.#getBytes(key)
    if (!this.#entries.delete(key)) return undefined
    this.#bytes -= bytes
    return { key, value: null, exists: false }
  }

  /** Adds all values. */
  merge(content: Content): void {
    for (const [key, value] of content) this.set(key, value)
  }

  /** Replaces everything. Returns the differences. */
  replace(content: Content): Change[] {
    const changes: (Change | undefined)[] = this.keys.filter(key => !content.has(key)).map(key => this.delete(key))
    for (const [key, value] of content) {
      const json = this.#entries.get(key)?.json
      const change = this.set(key, value)
      if (this.#entries.get(key)!.json !== json) changes.push(change)
    }
    return changes.filter(change => change !== undefined)
  }

  /** Returns the file's text. Indentation could make it longer than what can be read again. */
  toJson(): string {
    const content = Object.fromEntries(this.entries)
    const text = JSON.stringify(content, null, 2)
    return Buffer.byteLength(text) > this.#maxBytes ? JSON.stringify(content) : text
  }

  #getBytes(key: string): number {
    const entry = this.#entries.get(key)
    return entry ? getBytes(key, entry.json) : 0
  }
}

/** Bytes in memory and in the file, with an allowance for each entry. */
const getBytes = (key: string, json: string): number =>
  Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(json) + 16
