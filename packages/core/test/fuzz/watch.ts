// Invariants of the whole process after each case, and a thread that ends the process if a case never ends.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'

/** Milliseconds that a case can block the thread. */
const STUCK = 20_000
const MAX_TEXT = 2 ** 20
/** Bytes that can be retained in addition to those at the start, after a garbage collection. */
const MAX_GROWTH = 96 * 2 ** 20

const BUILT_IN = [Object, Array, Function, String, Number, Promise, Map, Error, RegExp, Uint8Array]
const BASES = [...BUILT_IN, ...BUILT_IN.map(({ prototype }) => prototype as object), JSON, Reflect]

/** Returns names and values of all members of built-ins, to detect any change. */
const membersOfBases = (): unknown[] =>
  BASES.flatMap(base =>
    Reflect.ownKeys(base).flatMap(key => {
      const { value, get, set } = Object.getOwnPropertyDescriptor(base, key)!
      return [key, value, get, set] as unknown[]
    }),
  )

export interface Watch {
  /** Sets the running case. */
  begin(description: string): void
  /** Returns the violated invariant. */
  broken(): string | undefined
  /** Returns the problem if too much memory is retained. */
  grown(): string | undefined
  stop(): Promise<void>
}

const WATCHER = `
  const { workerData: { memory, limit, pid } } = require('node:worker_threads')
  const [words, bytes] = [new Int32Array(memory, 0, 2), Buffer.from(memory, 8)]
  let seen = -1
  let since = performance.now()
  setInterval(() => {
    const beat = Atomics.load(words, 0)
    if (beat !== seen) [seen, since] = [beat, performance.now()]
    else if (performance.now() - since > limit) {
      require('node:fs').writeSync(2, '\\nFINDING: stuck for ' + limit + ' ms: ' + bytes.toString('utf8', 0, words[1]) + '\\n')
      process.kill(pid, 'SIGKILL')
    }
  }, 500)`

export function createWatch(): Watch {
  // Vitest looks up the source of each frame, which takes longer than most cases: nearly all end in an error.
  const { prepareStackTrace } = Error
  Reflect.deleteProperty(Error, 'prepareStackTrace')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const memory = new SharedArrayBuffer(8 + MAX_TEXT)
  const [words, bytes] = [new Int32Array(memory, 0, 2), Buffer.from(memory, 8)]
  const watcher = new Worker(WATCHER, { eval: true, workerData: { memory, limit: STUCK, pid: process.pid } })
  const failures: string[] = []
  const unhandled = (error: unknown): void =>
    void failures.push(`unhandled: ${String((error as Error)?.stack ?? error)}`)
  process.on('unhandledRejection', unhandled)
  process.on('uncaughtException', unhandled)
  const before = membersOfBases()
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  let atStart: number | undefined
  return {
    begin(description) {
      words[1] = bytes.write(description)
      Atomics.add(words, 0, 1)
    },
    broken() {
      const now = membersOfBases()
      const at = now.findIndex((member, i) => !Object.is(member, before[i]))
      const same = at < 0 && now.length === before.length
      return failures.shift() ?? (same ? undefined : `a prototype was changed: ${String(now[at - (at % 4)])}`)
    },
    grown() {
      // A garbage collection takes most of the time of a small case, so it is skipped if there is little garbage.
      if (atStart !== undefined && used() - atStart <= MAX_GROWTH) return undefined
      collect()
      const now = used()
      atStart ??= now
      const growth = now - atStart
      return growth > MAX_GROWTH ? `memory: ${Math.round(growth / 2 ** 20)} MiB more than at the start` : undefined
    },
    async stop() {
      Error.prepareStackTrace = prepareStackTrace
      process.off('unhandledRejection', unhandled)
      process.off('uncaughtException', unhandled)
      await watcher.terminate()
    },
  }
}
