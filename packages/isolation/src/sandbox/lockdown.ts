// Freezes JavaScript's own objects in this thread, for good, before any code runs that is not trusted. Import it in a thread
// that is to be locked only: SES changes some of them as it loads.
import { codecs } from '@sallyport/protocol'
import 'ses'

// Node's own errors have prototypes that lockdown does not know of. Scripts get hold of those that TextEncoder and
// TextDecoder throw, and this thread's own code throws errors of the same classes: they are frozen like all else.

const PROVOKED: readonly (() => unknown)[] = [
  () => new TextDecoder('none'),
  () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff)),
  () => new TextDecoder().decode(1 as never),
  () => Reflect.get(TextDecoder.prototype, 'encoding', {}),
  () => TextEncoder.prototype.encode.call({}, 'x'),
  () => new TextEncoder().encodeInto('x', 1 as never),
]

/** After lockdown. */
function freezeNodeErrors(): void {
  for (const provoke of PROVOKED) {
    try {
      provoke()
    } catch (error) {
      harden(Object.getPrototypeOf(error))
    }
  }
}

// On Node 20, V8 decides when a store into a typed array first runs whether a prototype could hold read-only elements;
// once SES has frozen the prototypes it decides for a path 50 times slower. So the codec runs a little before the lock.

// V8 collects what it has seen once a function has run about eight times.
const ROUNDS = 20

/** A value whose encoding stores a byte in each way that MessagePack has. */
const value = (round: number): Record<string, unknown> => ({
  small: [
    round,
    -1,
    200,
    -100,
    40_000,
    -20_000,
    3e9,
    -1e9,
    2 ** 40,
    1.5,
    true,
    false,
    null,
    undefined,
    7n,
    -(2n ** 40n),
  ],
  texts: ['', 'short', 'é', 'é€𝄞', 'x'.repeat(100), 'y'.repeat(300), 'é'.repeat(100)],
  bytes: [new Uint8Array(3), new Uint8Array(300)],
  date: new Date(round),
  dates: [new Date(round * 1e12), new Date(0.5)],
  list: Array.from({ length: 20 }, (_, index) => index),
  ['a name that is longer than most names of arguments are, by far']: { nested: { deep: [{}] } },
  names: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`n${index}`, index])),
})

/** Before lockDown: keeps the MessagePack codec as fast behind the lock as before it (1.0 µs a message against 0.2). */
function warmUp(): void {
  if (Number.parseInt(process.versions.node) >= 22) return
  for (let round = 0; round < ROUNDS; round += 1) {
    codecs.msgpack.join([
      codecs.msgpack.encode({ jsonrpc: '2.0', id: round, method: 'warm_up', params: value(round) }),
      codecs.msgpack.encode({ jsonrpc: '2.0', id: `${round}`, method: 'warm_up', params: {} }),
    ])
  }
}

let locked = false

export const isLockedDown = (): boolean => locked

/**
 * Locks this thread's JavaScript down; a second call does nothing. Every option is given, so that no environment variable
 * (`LOCKDOWN_…`) can weaken one.
 */
export function lockDown(): void {
  if (locked) return
  warmUp()
  lockdown({
    // The thread's own errors keep their stacks; a hook may see which frames called it, and nothing it could use.
    errorTaming: 'unsafe',
    stackFiltering: 'verbose',
    // Node keeps its console, its handling of errors and its exit code.
    consoleTaming: 'unsafe',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    // Plain scripts assign `x.constructor`, `counts.toString`: as an own property, as anywhere else.
    overrideTaming: 'severe',
    overrideDebug: [],
    legacyRegeneratorRuntimeTaming: 'safe',
    domainTaming: 'safe',
    evalTaming: 'safe-eval',
    localeTaming: 'safe',
    regExpTaming: 'safe',
    __hardenTaming__: 'safe',
  })
  freezeNodeErrors()
  locked = true
}
