// Node's own errors have prototypes that lockdown does not know of. Scripts get hold of those that TextEncoder and
// TextDecoder throw, and this thread's own code throws errors of the same classes: they are frozen like all else.
import 'ses'

const PROVOKED: readonly (() => unknown)[] = [
  () => new TextDecoder('none'),
  () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff)),
  () => new TextDecoder().decode(1 as never),
  () => Reflect.get(TextDecoder.prototype, 'encoding', {}),
  () => TextEncoder.prototype.encode.call({}, 'x'),
  () => new TextEncoder().encodeInto('x', 1 as never),
]

/** After lockdown. */
export function freezeNodeErrors(): void {
  for (const provoke of PROVOKED) {
    try {
      provoke()
    } catch (error) {
      harden(Object.getPrototypeOf(error))
    }
  }
}
