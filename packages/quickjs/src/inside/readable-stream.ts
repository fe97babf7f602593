// ReadableStream of a script in QuickJS that has a network: what reads bodies, and makes them. It cannot be piped.
import { createDeferred } from '@sallyport/protocol/internal/util'

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

interface Waiting {
  resolve(read: Read): void
  reject(error: unknown): void
}

interface Reader {
  readonly closed: Promise<undefined>
  read(): Promise<Read>
  cancel(reason?: unknown): Promise<void>
  releaseLock(): void
}

const DONE: Read = { done: true, value: undefined }

export class ReadableStream implements AsyncIterable<unknown> {
  readonly #source: Source
  readonly #controller: Controller
  readonly #highWaterMark: number
  readonly #queue: unknown[] = []
  readonly #waiting: Waiting[] = []
  readonly #closed = createDeferred<undefined>()
  #state: 'readable' | 'closing' | 'closed' | 'failed' = 'readable'
  #error: unknown
  #reader: Reader | undefined
  #isDisturbed = false
  /** True while the source starts, or makes a chunk. */
  #isBusy = true
  #isDue = false

  static isDisturbed(stream: ReadableStream): boolean {
    return stream.#isDisturbed
  }

  static from(chunks: AsyncIterable<unknown> | Iterable<unknown>): ReadableStream {
    const iterator =
      Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : (chunks as Iterable<unknown>)[Symbol.iterator]()
    const source: Source = {
      async pull(controller) {
        const { done, value } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(await value)
      },
      cancel: async reason => void (await iterator.return?.(reason)),
    }
    return new ReadableStream(source, { highWaterMark: 0 })
  }

  constructor(source: Source = {}, { highWaterMark = 1 }: { highWaterMark?: number } = {}) {
    this.#source = source
    this.#highWaterMark = highWaterMark
    this.#closed.promise.catch(() => {})
    const getDesiredSize = (): number | null => this.#getDesiredSize()
    this.#controller = {
      get desiredSize(): number | null {
        return getDesiredSize()
      },
      enqueue: chunk => this.#enqueue(chunk),
      close: () => this.#close(),
      error: error => this.#fail(error),
    }
    const started = source.start?.(this.#controller)
    void Promise.resolve(started).then(
      () => {
        this.#isBusy = false
        this.#pull()
      },
      error => this.#fail(error),
    )
  }

  get [Symbol.toStringTag](): string {
    return 'ReadableStream'
  }

  get locked(): boolean {
    return this.#reader !== undefined
  }

  getReader({ mode }: { mode?: unknown } = {}): Reader {
    if (mode !== undefined) throw missing('getReader({ mode })')
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
        for (const { reject } of this.#waiting.splice(0)) reject(new TypeError('The reader is released'))
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
    const controllers: (Controller | undefined)[] = []
    let reading: Promise<void> | undefined
    const each = (run: (controller: Controller, index: number) => void): void =>
      controllers.forEach((controller, index) => controller && run(controller, index))
    const pull = (): Promise<void> =>
      (reading ??= reader.read().then(
        ({ done, value }) => {
          reading = undefined
          each((controller, index) => {
            if (done) controller.close()
            else controller.enqueue(index === 1 && value instanceof Uint8Array ? value.slice() : value)
          })
        },
        error => each(controller => controller.error(error)),
      ))
    const createBranch = (index: number): ReadableStream =>
      new ReadableStream(
        {
          start: controller => void (controllers[index] = controller),
          pull,
          cancel(reason) {
            controllers[index] = undefined
            return controllers.some(Boolean) ? undefined : reader.cancel(reason)
          },
        },
        { highWaterMark: 0 },
      )
    return [createBranch(0), createBranch(1)]
  }

  pipeThrough(): never {
    throw missing('pipeThrough')
  }

  pipeTo(): Promise<never> {
    return Promise.reject(missing('pipeTo'))
  }

  async *values(): AsyncGenerator<unknown> {
    const reader = this.getReader()
    let isOver = false
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
      isOver = true
    } catch (error) {
      isOver = true
      throw error
    } finally {
      if (!isOver) await reader.cancel()
      reader.releaseLock()
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<unknown> {
    return this.values()
  }

  #getDesiredSize(): number | null {
    if (this.#state === 'failed') return null
    return this.#state === 'readable' ? this.#highWaterMark - this.#queue.length : 0
  }

  #read(): Promise<Read> {
    this.#isDisturbed = true
    if (this.#queue.length > 0) {
      const value = this.#queue.shift()
      if (this.#state === 'closing') this.#closeIfEmpty()
      else this.#pull()
      return Promise.resolve({ done: false, value })
    }
    if (this.#state === 'failed') return Promise.reject(this.#error)
    if (this.#state !== 'readable') return Promise.resolve(DONE)
    const next = createDeferred<Read>()
    this.#waiting.push(next)
    this.#pull()
    return next.promise
  }

  #pull(): void {
    const wantsChunk = this.#waiting.length > 0 || this.#queue.length < this.#highWaterMark
    if (this.#state !== 'readable' || !wantsChunk) return
    if (this.#isBusy) return void (this.#isDue = true)
    this.#isBusy = true
    this.#isDue = false
    const pulled = async (): Promise<void> => void (await this.#source.pull?.(this.#controller))
    pulled().then(
      () => {
        this.#isBusy = false
        if (this.#isDue) this.#pull()
      },
      error => this.#fail(error),
    )
  }

  #enqueue(chunk: unknown): void {
    if (this.#state !== 'readable') throw new TypeError('Invalid state: Controller is already closed')
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ done: false, value: chunk })
    else this.#queue.push(chunk)
    this.#pull()
  }

  #close(): void {
    if (this.#state !== 'readable') throw new TypeError('Invalid state: Controller is already closed')
    this.#state = 'closing'
    this.#closeIfEmpty()
  }

  #closeIfEmpty(): void {
    if (this.#queue.length > 0) return
    this.#state = 'closed'
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE)
    this.#closed.resolve(undefined)
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#isDisturbed = true
    if (this.#state === 'failed') throw this.#error
    if (this.#state === 'closed') return
    this.#queue.length = 0
    this.#closeIfEmpty()
    await this.#source.cancel?.(reason)
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    this.#state = 'failed'
    this.#error = error
    this.#queue.length = 0
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#closed.reject(error)
  }
}

export const isDisturbed: (stream: ReadableStream) => boolean = ReadableStream.isDisturbed
Reflect.deleteProperty(ReadableStream, 'isDisturbed')

const missing = (what: string): TypeError =>
  new TypeError(`ReadableStream: ${what} is not available in a script. Read the stream with for await`)
