// Takes a core: works without a pause, but for one look now and then whether the process that started it is still there.

/** Between two looks, in milliseconds. */
const LOOK_MS = 50

process.on('disconnect', () => process.exit())
// Ctrl-C goes to the whole group; who started this one ends it.
process.on('SIGINT', () => {})

function work(): void {
  const end = performance.now() + LOOK_MS
  while (performance.now() < end);
  setImmediate(work)
}

process.send?.('working')
work()
