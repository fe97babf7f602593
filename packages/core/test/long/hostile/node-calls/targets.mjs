// Lists what the fuzzer calls: the functions, methods, constructors and accessors that a frontend reaches from its globals and Node's modules.
import vm from 'node:vm'
import { loadNodeExports } from '../../../fixtures/sandboxes/node-exports.mjs'
import { instances } from './instances.mjs'

/** Objects further from an export than this are internal. */
const MAX_DEPTH = 6

/** Globals of the language and of V8. They are the same in every program, and tested by V8's own fuzzers. */
const languageNames = new Set(
  vm.runInNewContext('Object.getOwnPropertyNames(globalThis)').filter(name => name !== 'console'),
)

/** Internals of Node: docs/reference/security.md says that those end the process if called wrongly, and that only a mistake must not. */
const INTERNAL = /^_|^(?:ssl|domain)$/

/** Functions that end the process if they are called wrongly, as docs/reference/security.md says, hooks that do if they throw, and constructors that Node does not export. */
const OPEN = new RegExp(
  [
    // -0, in some versions.
    String.raw`^zlib\.crc32$|^crypto\.getCipherInfo$|^dns(?:/promises)?\.lookup(?:Service)?$`,
    String.raw`^tls\.TLSSocket\.prototype\.getEphemeralKeyInfo$|^vm\.Script\.prototype \(prototype\)\.`,
    String.raw`^async_hooks\.createHook$|^\(AsyncHook\)`,
    String.raw`^[\w/]+\.\w+ \(prototype\)$`,
  ].join('|'),
)

const isObject = value => (typeof value === 'object' && value !== null) || typeof value === 'function'

/** Marks everything that belongs to the language as seen. */
function addLanguage(seen) {
  const queue = [...languageNames]
    .filter(name => !['globalThis', 'global'].includes(name))
    .map(name => globalThis[name])
  // Their constructors have no global.
  const samples = [
    function* () {},
    async function () {},
    async function* () {},
    [][Symbol.iterator](),
    new Map().entries(),
  ]
  queue.push(
    ...samples,
    new Set().entries(),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
    Object.getPrototypeOf(Uint8Array),
  )
  while (queue.length > 0) {
    const value = queue.pop()
    if (!isObject(value) || seen.has(value)) continue
    seen.add(value)
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(value))) {
      queue.push(descriptor.value, descriptor.get, descriptor.set)
    }
    queue.push(Object.getPrototypeOf(value))
  }
  seen.delete(globalThis)
}

/**
 * Returns the targets in a fixed order, and for each export of each module whether it is of the `language`, a `value` without functions,
 * or `tried`.
 */
export async function listTargets() {
  const seen = new Set()
  addLanguage(seen)
  const targets = []
  const exports = {}
  const queue = []
  const add = (path, value, holder, depth) => {
    if (!isObject(value) || seen.has(value) || depth > MAX_DEPTH) return
    seen.add(value)
    if (typeof value === 'function' && !OPEN.test(path)) targets.push({ path, target: value, holder })
    queue.push({ path, value, holder, depth })
  }
  const walk = () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { path, value, depth } = next
      let keys = []
      try {
        keys = Reflect.ownKeys(value)
      } catch {
        continue
      }
      for (const key of keys) {
        if (typeof key === 'symbol' ? !Symbol[key.description?.replace('Symbol.', '')] : INTERNAL.test(key)) continue
        if (key === 'constructor') continue
        let descriptor
        try {
          descriptor = Object.getOwnPropertyDescriptor(value, key)
        } catch {
          continue
        }
        if (!descriptor) continue
        const name = `${path}.${String(key)}`
        add(`${name} (get)`, descriptor.get, value, depth + 1)
        add(`${name} (set)`, descriptor.set, value, depth + 1)
        add(name, descriptor.value, value, depth + 1)
        if (descriptor.get && key !== '__proto__') {
          try {
            add(name, value[key], value, depth + 1)
          } catch {
            // Accessors of a prototype need an instance.
          }
        }
      }
      add(`${path} (prototype)`, Object.getPrototypeOf(value), value, depth + 1)
    }
  }
  for (const [id, { holder, names }] of Object.entries(await loadNodeExports())) {
    exports[id] = {}
    for (const name of names) {
      const isGlobal = id === 'globals'
      if (isGlobal && (languageNames.has(name) || name === 'gc')) {
        exports[id][name] = 'language'
        continue
      }
      let value
      try {
        value = holder[name]
      } catch {
        // A getter that throws is a target, too.
        value = Object.getOwnPropertyDescriptor(holder, name)?.get
      }
      exports[id][name] = isObject(value) ? 'tried' : 'value'
      if (value === globalThis) continue
      const { get, set } = Object.getOwnPropertyDescriptor(holder, name) ?? {}
      add(`${id}.${name} (get)`, get, holder, 0)
      add(`${id}.${name} (set)`, set, holder, 0)
      add(`${id}.${name}`, value, holder, 0)
    }
  }
  walk()
  // Prototypes that no export has: streams, iterators, requests.
  for (const [name, create] of Object.entries(instances)) {
    try {
      add(`(${name})`, create(), undefined, MAX_DEPTH - 2)
    } catch {
      // This version of Node does not have it.
    }
  }
  walk()
  return { targets, exports }
}
