// A FIFO queue with limits on the number and the bytes of its items, for messages that wait until a link has room. Removing
// an item takes constant time: its slot becomes a tombstone, and tombstones are dropped once they outnumber the items.

export interface QueueSlot<Item> {
  readonly bytes: number
  /** `undefined` once the item has left the queue. */
  item: Item | undefined
}

/** Fewer empty slots than this are not worth a copy of the queue. */
const COMPACT_THRESHOLD = 1024

const TOMBSTONE: QueueSlot<never> = { bytes: 0, item: undefined }

export class BoundedQueue<Item extends object | string> {
  readonly #limits: { readonly count: number; readonly bytes: number }
  #slots: QueueSlot<Item>[] = []
  #head = 0
  /** Read-only outside. */
  size = 0
  #bytes = 0

  /** @param limits - unlimited by default */
  constructor(limits: { count: number; bytes: number } = { count: Infinity, bytes: Infinity }) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** True once a limit is reached. A single item can exceed the limit of bytes. */
  get isFull(): boolean {
    return this.size >= this.#limits.count || this.#bytes >= this.#limits.bytes
  }

  /** Adds an item even if the queue is full: some items must not be refused, so the caller checks `isFull`. */
  push(item: Item, bytes: number): QueueSlot<Item> {
    const slot = { bytes, item }
    this.#slots.push(slot)
    this.size++
    this.#bytes += bytes
    return slot
  }

  peek(): Item | undefined {
    return this.size === 0 ? undefined : this.#first().item
  }

  find(matches: (item: Item) => boolean): Item | undefined {
    return this.#slots.find(({ item }) => item !== undefined && matches(item))?.item
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined
    const slot = this.#first()
    const { item } = slot
    // The slot's memory is freed before the queue is compacted.
    this.#slots[this.#head++] = TOMBSTONE
    this.#empty(slot)
    return item
  }

  /** Takes an item out of the queue. Returns false if it has left the queue before. */
  remove(slot: QueueSlot<Item>): boolean {
    if (slot.item === undefined) return false
    this.#empty(slot)
    return true
  }

  /** Takes all items out of the queue, and returns them in order. */
  clear(): Item[] {
    const items: Item[] = []
    for (const slot of this.#slots) {
      if (slot.item !== undefined) items.push(slot.item)
      slot.item = undefined
    }
    this.#slots = []
    this.#head = this.size = this.#bytes = 0
    return items
  }

  #first(): QueueSlot<Item> {
    while (this.#slots[this.#head]!.item === undefined) this.#head++
    return this.#slots[this.#head]!
  }

  #empty(slot: QueueSlot<Item>): void {
    slot.item = undefined
    this.size--
    this.#bytes -= slot.bytes
    const emptySlots = this.#slots.length - this.size
    if (emptySlots <= COMPACT_THRESHOLD || emptySlots <= this.size) return
    this.#slots = this.#slots.filter(({ item }) => item !== undefined)
    this.#head = 0
  }
}
