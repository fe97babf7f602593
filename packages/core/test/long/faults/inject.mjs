// Injected faults by name. Each fails the thread that calls it, immediately or soon. Without imports, because gates, whose sandbox cannot
// read this file, get its text.
const kept = []
const soon = run => void setTimeout(() => run())

export const faults = {
  exit: () => process.exit(3),
  throw: () =>
    soon(() => {
      throw new Error('broken on purpose')
    }),
  'throw null': () =>
    soon(() => {
      throw null
    }),
  rejection: () => soon(() => void Promise.reject(new Error('broken on purpose'))),
  overflow: () =>
    soon(function deeper() {
      deeper()
      deeper()
    }),
  heap: () =>
    soon(() => {
      for (;;) kept.push(Array(1e4).fill({}))
    }),
  bytes: () => {
    for (let i = 0; i < 16; i++) kept.push(new Uint8Array(2 ** 24))
  },
  loop: () =>
    soon(() => {
      for (;;);
    }),
  block: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  },
}
