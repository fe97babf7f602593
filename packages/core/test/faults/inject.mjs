// The faults that are injected, by name. Each breaks the thread that calls it, soon or at once. No imports: gates, whose
// sandbox does not read here, are given the text of this file.
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
      // No table that doubles: docs/adr/0016.
      for (let head; ;) head = { head, some: Array(1000).fill(0) }
    }),
  bytes: () => {
    for (let i = 0; i < 16; i++) kept.push(new Uint8Array(2 ** 24))
  },
  loop: () =>
    soon(() => {
      for (;;);
    }),
  block: () => {
    const until = performance.now() + 1500
    while (performance.now() < until);
  },
}
