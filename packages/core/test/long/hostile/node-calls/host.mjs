// A host with a frontend that calls what Node gives it. It prints what the frontend is about to call, before it is called, because the call
// can end this process. It exits with 3 if only the frontend has ended, which it may.
import { createBus, defineCore } from '@sallyport/core'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const signals = new Int32Array(new SharedArrayBuffer(16))
const text = new Uint8Array(new SharedArrayBuffer(2000))

/** Writes a line before it returns. */
function print(line) {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      // The pipe is full.
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(signals, 0, 1, 1)
    }
  }
}

const bus = await createBus({ core: defineCore({}), log: false })
await bus.once('listed', ({ payload }) => print(payload))
/** The frontend's end can end this process a little later. */
const ended = () => setTimeout(() => process.exit(3), 200)
for (const name of ['fault', 'exited', 'failed']) bus.on(name, ended)

const shared = fileURLToPath(new URL('../../../fixtures/sandboxes/node-exports.mjs', import.meta.url))
await bus.open('main', new URL('frontend.mjs', import.meta.url), {
  data: { ...JSON.parse(process.argv[2]), signals, text },
  sandbox: { kind: 'permission', read: [shared] },
  loaded: false,
  onStdio: () => {},
  allow: '*',
  supervision: { restart: 'temporary', heartbeat: false },
})
for (;;) {
  await Atomics.waitAsync(signals, 0, 0).value
  const [, target, call, length] = signals
  print({ target, call, args: Buffer.from(text.slice(0, length)).toString() })
  if (target === -1) process.exit(0)
  Atomics.store(signals, 0, 0)
  Atomics.notify(signals, 0)
}
