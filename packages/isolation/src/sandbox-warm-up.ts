// On Node 20, V8 decides when a store into a typed array first runs whether a prototype could hold read-only elements;
// once SES has frozen the prototypes it decides for a path 50 times slower. So the codec runs a little before the lock.
import { codecs } from '@sallyport/protocol'

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
export function warmUp(): void {
  if (Number.parseInt(process.versions.node) >= 22) return
  for (let round = 0; round < ROUNDS; round += 1) {
    codecs.msgpack.join([
      codecs.msgpack.encode({ jsonrpc: '2.0', id: round, method: 'warm_up', params: value(round) }),
      codecs.msgpack.encode({ jsonrpc: '2.0', id: `${round}`, method: 'warm_up', params: {} }),
    ])
  }
}
