// Generates arguments from a seed. The same seed, function and case have the same arguments.

/** Returns a function that returns numbers below its argument, from a seed (mulberry32). */
export function createRandom(seed) {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** Mixes text into a seed (FNV-1a). */
export function mixSeed(seed, text) {
  let hash = (seed ^ 0x811c9dc5) >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}

const noop = () => {}

const STRINGS = [
  '',
  'x',
  'utf8',
  'latin1',
  'hex',
  'base64',
  'ucs2',
  'sha256',
  'aes-128-gcm',
  'error',
  'data',
  'pipe',
  '0',
  '-1',
  'constructor',
]
const MORE_STRINGS = [
  '__proto__',
  '/none/none',
  'node:fs',
  'file:///none',
  'data:text/javascript,1',
  '127.0.0.1',
  '::1',
  '\0',
  '\ud800',
  'é',
]
const strings = [...STRINGS, ...MORE_STRINGS, 'long '.repeat(2000)]
const numbers = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  7,
  16,
  255,
  256,
  1024,
  1.5,
  -2.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 53),
  1e308,
]
/** So much memory can be had, which takes seconds. Functions that allocate it get smaller numbers. */
const lengths = [65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32]
const ALLOCATES =
  /Buffer|File|Blob|crypto\.|zlib\.|random|alloc|prime|transcode|encode|stream|timers|fill|String|createHistogram|querystring|repl|Serializer/i

const pick = (random, list) => list[random(list.length)]

const detached = () => {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** Names of the options that functions have read, by their path. */
const optionNames = new Map()

/** Returns options as a caller writes them. The first ones of a function have nothing, and find out which it reads. */
function createOptions(random, context, depth) {
  const names = optionNames.get(context.path) ?? new Set()
  optionNames.set(context.path, names)
  if (names.size > 0) {
    const list = [...names]
    const entries = Array.from({ length: 1 + random(3) }, () => [
      pick(random, list),
      random(2) === 0 ? -0 : createValue(random, context, depth + 1),
    ])
    return Object.fromEntries(entries)
  }
  return new Proxy(
    {},
    {
      get(_target, key) {
        if (typeof key === 'string' && key !== 'then') names.add(key)
        return undefined
      },
    },
  )
}

const bytes = [
  () => Buffer.from('banana'),
  () => Buffer.alloc(0),
  () => Buffer.alloc(16),
  () => new Uint8Array(8),
  () => new Float64Array(4),
  () => new BigInt64Array(2),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(16),
  () => new SharedArrayBuffer(16),
  () => new Uint8Array(new SharedArrayBuffer(16)),
  detached,
  () => detached().buffer,
  () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
]

const objects = [
  () => ({}),
  () => [],
  () => Object.create(null),
  () => ({ length: 3 }),
  () => ({ length: -1 }),
  () => ['x', 1, {}],
  () => [[]],
  () => new Proxy({}, {}),
  () => new Proxy(noop, {}),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  () => ({
    toString() {
      throw new Error('no string')
    },
  }),
  () => ({ valueOf: () => 1, toString: () => 'utf8' }),
  () => Object(Symbol('x')),
  () => new String('utf8'),
  () => new Number(1),
  () => new Date(NaN),
  () => /x/,
  () => new Map([['x', 1]]),
  () => new Set(['x']),
  () => Promise.resolve(1),
  () => new Error('x'),
  () => globalThis,
  () => process,
  () => Object.freeze({}),
]

const functions = [
  () => () => {},
  () => () => ({}),
  () =>
    function () {
      throw new Error('thrown by a callback')
    },
  () => class {},
  () => async () => {},
  () => function* () {},
  () => class extends Array {},
  () => noop.bind(),
]

/** Returns a value. `context` has instances and functions of Node, and the path of what is called. */
export function createValue(random, context, depth = 0) {
  const kind = random(24)
  if (kind < 4) return pick(random, strings)
  if (kind < 8) return pick(random, random(4) > 0 || ALLOCATES.test(context.path) ? numbers : lengths)
  if (kind < 9) return pick(random, [true, false, null, undefined, 1n, -1n, 2n ** 64n, Symbol('x'), Symbol.iterator])
  if (kind < 10) return pick(random, [null, undefined])
  if (kind < 13) return pick(random, bytes)()
  if (kind < 16) return pick(random, objects)()
  if (kind < 19) return pick(random, functions)()
  if (kind < 20) return pick(random, context.targets).target
  if (kind < 22) return createInstance(random, context)
  if (depth > 2) return {}
  if (kind < 23) return createOptions(random, context, depth)
  return Object.fromEntries(
    Array.from({ length: 3 }, () => [pick(random, strings), createValue(random, context, depth + 1)]),
  )
}

/** Returns an object of Node. */
export function createInstance(random, { instances }) {
  try {
    return pick(random, instances)()
  } catch {
    return {}
  }
}
