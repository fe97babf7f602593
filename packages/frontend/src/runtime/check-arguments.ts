// Wraps functions of Node that end the process when they are called wrongly: they throw instead. Correct calls have the same results.
// The fuzzer of Node's exports (core/test/long/hostile/node-calls) looks for such functions. Internal objects stay as they are, except the
// handles of `node:zlib`, because no function between them and the frontend checks all that they need.

type Callable = (...args: unknown[]) => unknown
type Holder = Record<string, Callable>

// Frontends can replace these, and would then be given the originals.
const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect
const { isInteger } = Number
const { hasOwn } = Object
const { isView } = ArrayBuffer
const { round } = Math

export function checkArguments(): void {
  checkEncodings()
  checkScopes()
  checkTimers()
  checkSources()
  checkScripts()
  checkSlices()
  checkCompression()
  checkAccessors('URLPattern', 'Storage')
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

/**
 * Node ends the process if a scope has been entered, or a resource destroyed, with an id that is not a number. It reads the ids again, so
 * they must be plain properties: a getter or a proxy could return something else the second time.
 */
function checkScopes(): void {
  const { isProxy } = process.getBuiltinModule('node:util').types
  const { AsyncResource } = process.getBuiltinModule('node:async_hooks')
  const { prototype } = AsyncResource
  const resource = new AsyncResource('sallyport')
  const ids = [resource.asyncId(), resource.triggerAsyncId()]
  const keys = Object.getOwnPropertySymbols(resource).filter(key =>
    ids.includes((resource as unknown as Record<symbol, number>)[key]!),
  )
  const hasId = (target: object, key: symbol): boolean => {
    const descriptor = getOwnPropertyDescriptor(target, key)
    return !!descriptor && hasOwn(descriptor, 'value') && typeof descriptor.value === 'number' && descriptor.value >= -1
  }
  for (const name of ['runInAsyncScope', 'emitDestroy']) {
    wrap(
      prototype,
      name,
      original =>
        function (this: object, ...args) {
          if (isProxy(this)) refuse(name, 'an AsyncResource')
          for (let index = 0; index < keys.length; index++) {
            if (!hasId(this, keys[index]!)) refuse(name, 'an AsyncResource')
          }
          return apply(original, this, args)
        },
    )
  }
}

/** Timers are given ids. A proxy can hide them, which ends the process when the timer fires. */
function checkTimers(): void {
  const { isProxy } = process.getBuiltinModule('node:util').types
  const timers = process.getBuiltinModule('node:timers')
  const timeout = setTimeout(() => {})
  clearTimeout(timeout)
  for (const name of ['active', '_unrefActive']) {
    if (!(name in timers)) continue
    wrap(timers, name, original => item => (isProxy(item) ? refuse(name, 'a timer') : original(item)))
  }
  wrap(
    Object.getPrototypeOf(timeout) as object,
    'refresh',
    original =>
      function (this: unknown) {
        return isProxy(this) ? refuse('refresh', 'a timer') : apply(original, this, [])
      },
  )
}

function checkSources(): void {
  const { Module } = process.getBuiltinModule('node:module')
  let lastWrap = Module.wrap
  wrap(
    Module.prototype,
    '_compile',
    original =>
      function (this: unknown, ...args) {
        if (typeof args[0] !== 'string' || typeof args[1] !== 'string') refuse('_compile', 'a string and a file name')
        // Node compiles what a replaced `Module.wrap` returns. The property cannot be redefined.
        const { wrap: current } = Module
        if (current !== lastWrap) {
          lastWrap = Module.wrap = (...sources: [string]) => `${apply(current, Module, sources)}`
        }
        return apply(original, this, args)
      },
  )
}

/** The native method below the one of `vm.Script`, which trusts its arguments. */
function checkScripts(): void {
  const { Script, isContext } = process.getBuiltinModule('node:vm')
  wrap(
    Object.getPrototypeOf(Script.prototype) as object,
    'runInContext',
    original =>
      function (this: unknown, ...args) {
        const [context, timeout, ...flags] = args
        const isRun =
          (context === null || isContext(context as object)) &&
          typeof timeout === 'number' &&
          flags.length === 3 &&
          flags.every(flag => typeof flag === 'boolean')
        if (!isRun) refuse('runInContext', 'a context and options')
        return apply(original, this, args)
      },
  )
}

/** Node 20 ends the process at a part of a byte, as in `blob.slice(0, blob.size / 2)`. Later versions round. */
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

/** Greatest flag of a write that Node accepts: `Z_BLOCK`. */
const MAX_FLUSH = 5

/** A native handle of `node:zlib`. */
type ZlibHandle = Record<'init' | 'write' | 'writeSync' | 'close', Callable>

/**
 * Writes to a compressor end the process if they are out of bounds, before the last one is done, or after its end. The functions of
 * `node:zlib` do not check that: they trust the length that a buffer claims, and `_transform` and `_processChunk` whatever they are given.
 */
function checkCompression(): void {
  const zlib = process.getBuiltinModule('node:zlib') as unknown as Record<string, (() => object) | undefined>
  const states = new WeakMap<object, 'ready' | 'writing' | 'closed'>()
  const getState = states.get.bind(states)
  const setState = states.set.bind(states)

  const checkPrototype = (prototype: ZlibHandle): void => {
    wrap(
      prototype,
      'init',
      original =>
        function (this: object, ...args) {
          for (const [i, arg] of args.entries()) {
            if (typeof arg !== 'function') continue
            // Node calls it after each write that has not failed. A stream that has failed closes its handle.
            args[i] = function (this: object, ...results: unknown[]) {
              if (getState(this) === 'writing') setState(this, 'ready')
              return apply(arg as Callable, this, results)
            }
          }
          const result = apply(original, this, args)
          setState(this, 'ready')
          return result
        },
    )
    for (const name of ['write', 'writeSync'] as const) {
      wrap(prototype, name, original => {
        const call = uncurry(original)
        return function (this: object, flush, input, inputOffset, inputLength, output, outputOffset, outputLength) {
          const isWrite =
            isInteger(flush) &&
            (flush as number) >= 0 &&
            (flush as number) <= MAX_FLUSH &&
            (input === null || isWithin(input, inputOffset, inputLength)) &&
            isWithin(output, outputOffset, outputLength) &&
            getState(this) === 'ready'
          if (!isWrite) refuse('zlib', 'a stream that is not writing, a buffer, and a flush flag')
          if (name === 'write') setState(this, 'writing')
          return call(this, flush, input, inputOffset, inputLength, output, outputOffset, outputLength)
        }
      })
    }
    wrap(
      prototype,
      'close',
      original =>
        function (this: object) {
          setState(this, 'closed')
          return apply(original, this, [])
        },
    )
  }

  const prefix = ['createInflateRaw', 'createBrotliCompress', 'createBrotliDecompress']
  for (const name of [...prefix, 'createZstdCompress', 'createZstdDecompress']) {
    const stream = zlib[name]?.() as { _handle: ZlibHandle } | undefined
    if (!stream) continue
    const handle = stream._handle
    handle.close()
    checkPrototype(Object.getPrototypeOf(handle) as ZlibHandle)
  }
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const getTag = uncurry(getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get!)
const getArrayLength = uncurry(getOwnPropertyDescriptor(typedArray, 'byteLength')!.get!)
const getViewLength = uncurry(getOwnPropertyDescriptor(DataView.prototype, 'byteLength')!.get!)

/** Reads the length that a view has, whatever properties it has got. */
function isWithin(view: unknown, offset: unknown, length: unknown): boolean {
  if (!isView(view) || !isInteger(offset) || !isInteger(length)) return false
  const available = (getTag(view) === undefined ? getViewLength(view) : getArrayLength(view)) as number
  return (offset as number) >= 0 && (length as number) >= 0 && (offset as number) + (length as number) <= available
}

/**
 * Native accessors can be extended by a class, whose construction ends the process. They cannot be redefined, so the class gets another
 * prototype, which has accessors that cannot be extended. Methods cannot be extended either.
 */
function checkAccessors(...names: string[]): void {
  for (const name of names) {
    const type = (globalThis as Record<string, unknown>)[name] as { prototype: object } | undefined
    if (!type) continue
    const prototype = Object.create(Object.getPrototypeOf(type.prototype) as object) as object
    for (const key of Reflect.ownKeys(type.prototype)) {
      const descriptor = getOwnPropertyDescriptor(type.prototype, key)!
      if (descriptor.get) descriptor.get = createGetter(descriptor.get)
      defineProperty(prototype, key, descriptor)
    }
    type.prototype = prototype
  }
}

function createGetter(original: () => unknown): () => unknown {
  const read = uncurry(original)
  const holder = {
    get value() {
      return read(this)
    },
  }
  const { get } = getOwnPropertyDescriptor(holder, 'value')!
  defineProperty(get!, 'name', { value: original.name, configurable: true })
  return get!
}

/** Replaces a function with one of the same name and length. */
function wrap(holder: object, key: string, createWrapper: (original: Callable) => Callable): void {
  const original = (holder as Holder)[key]!
  const wrapper = createWrapper(original)
  for (const property of ['name', 'length'] as const) {
    defineProperty(wrapper, property, { value: original[property], configurable: true })
  }
  defineProperty(holder, key, { ...getOwnPropertyDescriptor(holder, key), value: wrapper })
}

/** Returns a function that calls `target` with its first argument as `this`. */
function uncurry(target: Function): Callable {
  return Function.prototype.call.bind(target) as Callable
}

function refuse(name: string, expected: string): never {
  throw Object.assign(new TypeError(`${name}: not called with ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' })
}
