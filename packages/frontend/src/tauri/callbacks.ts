// The callbacks of `transformCallback`: functions that core, or whoever knows their ids, has called with `runCallback`.

export type Callback = (data: unknown) => unknown

export class Callbacks {
  /** By id; `__TAURI_INTERNALS__.callbacks`, as in Tauri. */
  readonly byId: Map<number, Callback> = new Map()

  /** An id for the callback: random, of 32 bits. Its highest bit is set: a channel that has it is none of the client's own. */
  add(callback?: Callback, once = false): number {
    const id = this.#unusedId()
    this.byId.set(id, data => {
      if (once) this.byId.delete(id)
      return callback?.(data)
    })
    return id
  }

  remove(id: number): void {
    this.byId.delete(id)
  }

  /** False for an id that nobody has, which is warned of in Tauri's words. */
  run(id: number, data: unknown): boolean {
    const callback = this.byId.get(id)
    if (callback) callback(data)
    else {
      console.warn(
        `[TAURI] Couldn't find callback id ${id}. This might happen when the app is reloaded while Rust is running an asynchronous operation.`,
      )
    }
    return callback !== undefined
  }

  #unusedId(): number {
    const [random] = crypto.getRandomValues(new Uint32Array(1))
    const id = (random! | 0x8000_0000) >>> 0
    return this.byId.has(id) ? this.#unusedId() : id
  }
}
