// Freezes JavaScript's built-in objects in this thread, permanently, before any untrusted code runs. Import it only in a thread that
// will be locked: SES changes some of the objects while it loads.
import { codecs } from '@sallyport/protocol/internal/codec'
import 'ses'

/** Calls that throw errors of Node's own classes, one for each class that a hook can catch from TextEncoder and TextDecoder. */
const NODE_ERRORS: readonly (() => unknown)[] = [
  () => new TextDecoder('none'),
  () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff)),
  () => new TextDecoder().decode(1 as never),
  () => Reflect.get(TextDecoder.prototype, 'encoding', {}),
  () => TextEncoder.prototype.encode.call({}, 'x'),
  () => new TextEncoder().encodeInto('x', 1 as never),
]

/**
 * Freezes the prototypes of errors of Node. Must be called after lockdown. SES does not know Node's classes of errors, and this thread's own
 * code throws errors of the same classes, which a hook could change otherwise.
 */
function freezeErrors(): void {
  for (const throwError of NODE_ERRORS) {
    try {
      throwError()
    } catch (error) {
      harden(Object.getPrototypeOf(error))
    }
  }
}

/** V8 uses its feedback on a function after about eight runs. */
const WARM_UP_ROUNDS = 20

/** Creates a value whose encoding uses every form of MessagePack. */
const createWarmUpValue = (round: number): Record<string, unknown> => ({
  integers: [round, -1, 200, -100, 40_000, -20_000, 3e9, -1e9, 2 ** 40, 7n, -(2n ** 40n)],
  others: [1.5, true, false, null, undefined],
  texts: ['', 'short', 'é', 'é€𝄞', 'x'.repeat(100), 'y'.repeat(300), 'é'.repeat(100)],
  bytes: [new Uint8Array(3), new Uint8Array(300)],
  date: new Date(round),
  dates: [new Date(round * 1e12), new Date(0.5)],
  list: Array.from({ length: 20 }, (_, index) => index),
  ['a name that is longer than most names of arguments are, by far']: { nested: { deep: [{}] } },
  names: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`n${index}`, index])),
})

/**
 * Keeps the MessagePack codec fast after lockdown (0.2 µs a message, not 1.0). On Node 20, V8 decides when a store into a typed array
 * first runs whether a prototype could have read-only elements. With frozen prototypes, it would choose a path that is 50 times slower.
 */
function warmUpCodec(): void {
  if (Number.parseInt(process.versions.node) >= 22) return
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    const params = createWarmUpValue(round)
    codecs.msgpack.join([
      codecs.msgpack.encode({ jsonrpc: '2.0', id: round, method: 'warm_up', params }) as Uint8Array,
      codecs.msgpack.encode({ jsonrpc: '2.0', id: `${round}`, method: 'warm_up', params: {} }) as Uint8Array,
    ])
  }
}

let isLocked = false

export const isLockedDown = (): boolean => isLocked

/** Locks down this thread's JavaScript, once. All options are set, so that no environment variable (`LOCKDOWN_…`) can weaken one. */
export function lockDown(): void {
  if (isLocked) return
  warmUpCodec()
  lockdown({
    // The thread's own errors keep their stacks. A hook can see the frames that called it, which give it no access.
    errorTaming: 'unsafe',
    stackFiltering: 'verbose',
    // Node keeps its console, its error handling and its exit code.
    consoleTaming: 'unsafe',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    // Plain scripts assign names such as `x.constructor` and `counts.toString`: these become own properties, as usual.
    overrideTaming: 'severe',
    overrideDebug: [],
    legacyRegeneratorRuntimeTaming: 'safe',
    domainTaming: 'safe',
    evalTaming: 'safe-eval',
    localeTaming: 'safe',
    regExpTaming: 'safe',
    __hardenTaming__: 'safe',
  })
  freezeErrors()
  isLocked = true
}
