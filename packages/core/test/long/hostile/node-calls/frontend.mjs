// A frontend that calls what Node gives it, with generated arguments. Before each function it waits until the host has reported its number:
// a call that ends the process cannot report anything.
import { emit, getData } from '@sallyport/frontend'
import { inspect } from 'node:util'
import { cryptoStreams, instances } from './instances.mjs'
import { listTargets } from './targets.mjs'
import { createInstance, createRandom, createValue, mixSeed } from './values.mjs'

// What is called can change everything that can be changed.
const { apply, construct, getPrototypeOf, has } = Reflect
const { load, notify, store, wait } = Atomics
const { setImmediate, setTimeout, Promise, gc } = globalThis
const noop = () => {}
/** Calls of each function in a round. */
const CALLS = 20
/** Calls that have -0 as an argument, each at another position. */
const NEGATIVE_ZEROS = 6

process.removeAllListeners('warning')
process.on('uncaughtException', noop)
process.on('unhandledRejection', noop)

const { signals, text, seed, first, step, round, rounds, only, isSlow } = getData()
const { targets, exports } = await listTargets()

/** Waits until the host has printed this. */
function report(target, index, args = '') {
  const bytes = Buffer.from(args).subarray(0, text.length)
  text.set(bytes)
  store(signals, 3, bytes.length)
  store(signals, 1, target)
  store(signals, 2, index)
  store(signals, 0, 1)
  notify(signals, 0)
  while (load(signals, 0) === 1) wait(signals, 0, 1)
}

const settle = () =>
  new Promise(resolve => (isSlow ? setTimeout(resolve, 20) : setImmediate(() => setImmediate(resolve))))

/** The functions that make objects with a prototype, by the prototype. */
const makers = new Map()
for (const create of Object.values(instances)) {
  try {
    for (let prototype = getPrototypeOf(create()); prototype; prototype = getPrototypeOf(prototype)) {
      makers.set(prototype, [...(makers.get(prototype) ?? []), create])
    }
  } catch {
    // This version of Node does not have it.
  }
}
makers.delete(Object.prototype)
for (const create of Object.values(cryptoStreams)) makers.set(getPrototypeOf(create()), [create])

function watch(result) {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return
  if (typeof result.then === 'function') result.then(noop, noop)
  if (typeof result.on === 'function' && has(result, 'emit')) result.on('error', noop)
}

function describe(how, self, args) {
  try {
    return `${how} ${inspect(self, { depth: 0 })}: ${inspect(args, { depth: 2, breakLength: Infinity })}`
  } catch {
    return 'values that cannot be shown'
  }
}

function call({ path, target, holder }, owners, number, position) {
  const random = createRandom(mixSeed(seed + number, path))
  const context = { path, targets, instances: Object.values(instances) }
  const args = Array.from({ length: random(6) }, () => createValue(random, context))
  const zero = number % CALLS
  if (zero < NEGATIVE_ZEROS) args[zero] = -0
  const how = random(8) === 0 && !path.endsWith(')') ? 'new' : 'with its this'
  const self = owners.length > 0 ? createInstance(random, { instances: owners }) : holder
  if (isSlow) report(position, number % CALLS, describe(how, self, args))
  try {
    if (how === 'new') watch(construct(target, args))
    else watch(apply(target, self, args))
  } catch {
    // Errors are what should happen.
  }
}

/** Order in which all functions are called, which the seed shuffles, so that a short run tries other ones each time. */
const order = targets.map((_, i) => i)
const shuffle = createRandom(seed)
for (let i = order.length - 1; i > 0; i--) {
  const j = shuffle(i + 1)
  ;[order[i], order[j]] = [order[j], order[i]]
}

await emit('listed', { names: targets.map(({ path }) => path), order, exports })

for (let now = round; now < rounds; now++) {
  for (let at = now === round ? first : first % step; at < order.length; at += step) {
    const target = targets[order[at]]
    if (only !== undefined && target.path !== only) continue
    const position = now * order.length + at
    report(position, -1)
    const owners = makers.get(target.holder) ?? []
    for (let i = 0; i < CALLS; i++) {
      call(target, owners, now * CALLS + i, position)
      if (isSlow) await settle()
    }
    await settle()
    if (gc && at % 40 < step) gc()
  }
}
// What is still running can end the process, too.
await new Promise(resolve => setTimeout(resolve, 200))
report(-1, -1)
