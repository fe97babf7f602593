// ReadableStream of a script in QuickJS that has a network: what reads bodies, and makes them. It cannot be piped.
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'

interface Controller {
  readonly desiredSize: number | null
  enqueue(chunk: unknown): void
  close(): void
  error(error?: unknown): void
}

interface Source {
  start?(controller: Controller): unknown
  pull?(controller: Controller): unknown
  cancel?(reason?: unknown): unknown
}

interface Read {
  done: boolean
  value: unknown
}

interface Reader {
  readonly closed: Promise<undefined>
  read(): Promise<Read>
  cancel(reason?: unknown): Promise<void>
  releaseLock(): void
}

const DONE: Read = { done: true, value: undefined }
export let isDisturbed: (stream: ReadableStream) => boolean

export class ReadableStream implements AsyncIterable<unknown> {
  readonly #source: Source
  readonly #controller: Controller
  readonly #highWaterMark: number
  readonly #queue: unknown[] = []
  /** They wait for a chunk, so the queue is empty. */
  readonly #reads: Deferred<Read>[] = []
  readonly #closed = createDeferred<undefined>()
  /** It has no more chunks than those of its queue. */
  #isEnded = false
  #failure: { readonly error: unknown } | undefined
  #reader: Reader | undefined
  #isDisturbed = false
  /** True while the source starts, or makes a chunk. */
  #isBusy = true
  #isDue = true

  static {
    isDisturbed = stream => stream.#isDisturbed
  }

  static from(chunks: AsyncIterable<unknown> | Iterable<unknown>): ReadableStream {
    const iterator = (async function* () {
      yield* chunks
    })()
    const source: Source = {
      async pull(controller) {
        const { done, value } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => iterator.return(undefined),
    }
    return new ReadableStream(source, { highWaterMark: 0 })
  }

  constructor(source: Source = {}, { highWaterMark = 1 }: { highWaterMark?: number } = {}) {
    this.#source = source
    this.#highWaterMark = highWaterMark
    this.#closed.promise.catch(() => {})
    const getDesiredSize = (): number | null => {
      if (this.#failure) return null
      return this.#isEnded ? 0 : highWaterMark - this.#queue.length
    }
    this.#controller = {
      get desiredSize(): number | null {
        return getDesiredSize()
      },
      enqueue: chunk => this.#enqueue(chunk),
      close: () => this.#close(),
      error: error => this.#fail(error),
    }
    void this.#run(source.start?.(this.#controller))
  }

  get [Symbol.toStringTag](): string {
    return 'ReadableStream'
  }

  get locked(): boolean {
    return this.#reader !== undefined
  }

  getReader(): Reader {
    if (this.#reader) throw new TypeError('Invalid state: ReadableStream is locked')
    const use = <T>(run: () => Promise<T>): Promise<T> =>
      this.#reader === reader ? run() : Promise.reject(new TypeError('The reader is released'))
    const reader: Reader = {
      closed: this.#closed.promise,
      read: () => use(() => this.#read()),
      cancel: reason => use(() => this.#cancel(reason)),
      releaseLock: () => {
        if (this.#reader !== reader) return
        this.#reader = undefined
        for (const { reject } of this.#reads.splice(0)) reject(new TypeError('The reader is released'))
      },
    }
    return (this.#reader = reader)
  }

  cancel(reason?: unknown): Promise<void> {
    if (this.#reader) return Promise.reject(new TypeError('Invalid state: ReadableStream is locked'))
    return this.#cancel(reason)
  }

  tee(): [ReadableStream, ReadableStream] {
    const reader = this.getReader()
    const branches = new Set<Controller>()
    let reading: Promise<void> | undefined
    const readForAll = async (): Promise<void> => {
      const { done, value } = await reader.read()
      reading = undefined
      for (const branch of branches) {
        if (done) branch.close()
        else branch.enqueue(value instanceof Uint8Array ? value.slice() : value)
      }
    }
    const createBranch = (): ReadableStream => {
      let branch: Controller
      const source: Source = {
        start: controller => void branches.add((branch = controller)),
        pull: () => (reading ??= readForAll()),
        cancel(reason) {
          branches.delete(branch)
          return branches.size > 0 ? undefined : reader.cancel(reason)
        },
      }
      return new ReadableStream(source, { highWaterMark: 0 })
    }
    return [createBranch(), createBranch()]
  }

  async *values(): AsyncGenerator<unknown> {
    const reader = this.getReader()
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
    } finally {
      if (!this.#failure) await reader.cancel()
      reader.releaseLock()
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<unknown> {
    return this.values()
  }

  async #read(): Promise<Read> {
    this.#isDisturbed = true
    if (this.#failure) throw this.#failure.error
    if (this.#queue.length > 0) {
      const value = this.#queue.shift()
      this.#closeIfEmpty()
      this.#pull()
      return { done: false, value }
    }
    if (this.#isEnded) return DONE
    const next = createDeferred<Read>()
    this.#reads.push(next)
    this.#pull()
    return next.promise
  }

  /** Asks the source for a chunk, once for all who have asked since it began to make the last one. */
  #pull(): void {
    const wantsChunk = this.#reads.length > 0 || this.#queue.length < this.#highWaterMark
    if (this.#isEnded || !wantsChunk) return
    this.#isDue = this.#isBusy
    if (this.#isBusy) return
    this.#isBusy = true
    void this.#run((async () => this.#source.pull?.(this.#controller))())
  }

  async #run(made: unknown): Promise<void> {
    try {
      await made
      this.#isBusy = false
      if (this.#isDue) this.#pull()
    } catch (error) {
      this.#fail(error)
    }
  }

  #enqueue(chunk: unknown): void {
    if (this.#isEnded) throw new TypeError('Invalid state: Controller is already closed')
    const read = this.#reads.shift()
    if (read) read.resolve({ done: false, value: chunk })
    else this.#queue.push(chunk)
    this.#pull()
  }

  #close(): void {
    if (this.#isEnded) throw new TypeError('Invalid state: Controller is already closed')
    this.#isEnded = true
    this.#closeIfEmpty()
  }

  #closeIfEmpty(): void {
    if (!this.#isEnded || this.#queue.length > 0) return
    for (const { resolve } of this.#reads.splice(0)) resolve(DONE)
    this.#closed.resolve(undefined)
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#isDisturbed = true
    if (this.#failure) throw this.#failure.error
    if (this.#isEnded && this.#queue.length === 0) return
    this.#isEnded = true
    this.#queue.length = 0
    this.#closeIfEmpty()
    await this.#source.cancel?.(reason)
  }

  #fail(error: unknown): void {
    if (this.#failure || (this.#isEnded && this.#queue.length === 0)) return
    this.#failure = { error }
    this.#isEnded = true
    this.#queue.length = 0
    for (const { reject } of this.#reads.splice(0)) reject(error)
    this.#closed.reject(error)
  }
}
