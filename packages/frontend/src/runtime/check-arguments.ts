// Wraps functions of Node that end the process because of a mistake, such as `Math.round(-0.2)`, which is -0, as a whole number. They throw,
// or do what the caller meant. Code that wants to end the host is not stopped: docs/reference/security.md says why. The fuzzer of Node's
// exports (core/test/long/hostile/node-calls) looks for such functions.

export type Callable = (...args: unknown[]) => unknown
type Holder = Record<string, Callable>

// Frontends can replace these, and would then be given the originals.
const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
const { hasOwn, is, keys } = Object
const { round } = Math

export function checkArguments(): void {
  acceptNegativeZeros()
  checkEncodings()
  checkSources()
  checkSlices()
}

/**
 * Modules whose functions take whole numbers, and never hand the caller's values back. Sallyport has loaded all but `node:crypto`, whose
 * numbers Node 24 checks itself. `node:dns` and `node:zlib` are left out: loading them for a rare call would slow each start.
 */
const NUMERIC_MODULES = ['fs', 'fs/promises', 'os', 'net', 'dgram']
if (Number.parseInt(process.versions.node) < 24) NUMERIC_MODULES.push('crypto')

/** Node checks with `Number.isInteger`, then natively with `IsInt32`, and -0 is only the former. */
const handler: ProxyHandler<Callable> = {
  apply: (target, self, args: unknown[]) => apply(target, self, withoutNegativeZeros(args)),
  construct: (target, args: unknown[], newTarget) => construct(target, withoutNegativeZeros(args), newTarget),
}

/** Functions, classes and their methods take -0 as 0, as an argument and as a member of a plain object among the arguments. */
function acceptNegativeZeros(): void {
  for (const id of NUMERIC_MODULES) {
    const module = process.getBuiltinModule(`node:${id}`)!
    wrapMethods(module)
    // Node loads some classes when they are read.
    for (const key of ownKeys(module)) {
      const { get, configurable } = getOwnPropertyDescriptor(module, key)!
      if (get && configurable) defineProperty(module, key, { get: () => wrapFunction(apply(get, module, [])) })
    }
  }
}

function wrapMethods(holder: object): void {
  for (const key of ownKeys(holder)) {
    const { value, configurable } = getOwnPropertyDescriptor(holder, key)!
    if (typeof value === 'function' && configurable) defineProperty(holder, key, { value: wrapFunction(value) })
  }
}

const wrappers = new WeakMap<Callable, Callable>()

function wrapFunction(value: unknown): unknown {
  if (typeof value !== 'function') return value
  const original = value as Callable
  let wrapper = wrappers.get(original)
  if (!wrapper) {
    wrappers.set(original, (wrapper = new Proxy(original, handler)))
    // Node compares `open` of a file's stream with its own.
    if (original.prototype && !hasOwn(original.prototype, 'open')) wrapMethods(original.prototype)
  }
  return wrapper
}

const isPlain = (value: object): boolean => {
  const prototype = getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function withoutNegativeZeros(args: unknown[]): unknown[] {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]
    if (arg === 0) args[index] = 0
    else if (typeof arg === 'object' && arg !== null && isPlain(arg)) {
      for (const key of keys(arg)) {
        if (is((args[index] as Record<string, unknown>)[key], -0))
          args[index] = { ...(args[index] as object), [key]: 0 }
      }
    }
  }
  return args
}

/** Node 24 and later take an `end` before the encoding, and end the process unless it is a number. */
function checkEncodings(): void {
  const prototype = Buffer.prototype as unknown as Holder
  if (prototype['indexOf']!.length < 4) return
  for (const name of ['indexOf', 'lastIndexOf', 'includes']) {
    wrap(prototype, name, original => {
      const call = uncurry(original)
      return function (this: unknown, value, offset, end, encoding) {
        const isEnd = end === undefined || typeof end === 'number' || typeof end === 'string'
        // Node 22 takes anything there as the encoding, and throws if it is none.
        return isEnd ? call(this, value, offset, end, encoding) : call(this, value, offset, undefined, end)
      }
    })
  }
}

/** Hooks of `require` pass what they have made of a file, such as a Buffer or nothing. */
function checkSources(): void {
  wrap(
    process.getBuiltinModule('node:module').Module.prototype,
    '_compile',
    original =>
      function (this: unknown, ...args) {
        if (typeof args[0] === 'string' && typeof args[1] === 'string') return apply(original, this, args)
        const error = new TypeError('_compile: not called with a string and a file name')
        throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
      },
  )
}

/** Node 20 ends the process at a part of a byte, as in `blob.slice(0, blob.size / 2)`, and at -0. Later versions round. */
function checkSlices(): void {
  if (!process.version.startsWith('v20.')) return
  const toInteger = (value: unknown): unknown => (value === undefined ? value : round(value as number) || 0)
  wrap(Blob.prototype, 'slice', original => {
    const call = uncurry(original)
    return function (this: unknown, start, end, type) {
      return call(this, toInteger(start), toInteger(end), type)
    }
  })
}

/** Replaces a function. The wrapper gets its properties, which include its name, its length and the symbol that `promisify` needs. */
export function wrap(holder: object, key: string, createWrapper: (original: Callable) => Callable): void {
  const original = (holder as Holder)[key]!
  const wrapper = createWrapper(original)
  // The constructor of the prototype is the original.
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original)
  Object.defineProperties(wrapper, properties)
  defineProperty(holder, key, { ...getOwnPropertyDescriptor(holder, key), value: wrapper })
}

function uncurry(target: Function): Callable {
  return Function.prototype.call.bind(target)
}

/** Returns what Node keeps under a symbol of its own. */
export function getHidden(holder: object, description: string): object {
  const key = Object.getOwnPropertySymbols(holder).find(symbol => symbol.description === description)
  return (holder as Record<symbol, object>)[key!]!
}
