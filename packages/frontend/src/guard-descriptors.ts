// File descriptors are the whole process's: with a number, a worker could read the host's sockets, or write to its output.
// After this, `node:fs` takes only those that this worker has opened itself.
type Callable = (...args: unknown[]) => unknown
type FileSystem = typeof import('node:fs')

const BY_DESCRIPTOR = [
  ...['read', 'readv', 'write', 'writev', 'readFile', 'writeFile', 'appendFile', 'truncate', 'close'],
  ...['fstat', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown', 'futimes'],
]

export function guardDescriptors(fs: FileSystem): void {
  const own = new Set<unknown>()
  const functions = fs as unknown as Record<string, Callable>
  const wrap = (name: string, make: (original: Callable) => Callable): void => {
    const original = functions[name]!
    const wrapped = make(original)
    // Among them what `promisify` looks for.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original))
    functions[name] = wrapped
  }
  for (const name of BY_DESCRIPTOR.flatMap(one => [one, `${one}Sync`])) {
    const closes = name.startsWith('close')
    wrap(name, original => (first, ...rest) => {
      if (typeof first === 'number' && !own.has(first)) return refuse(name, rest.at(-1))
      if (closes) own.delete(first)
      return original(first, ...rest)
    })
  }
  wrap('openSync', original => (...args) => {
    const descriptor = original(...args)
    own.add(descriptor)
    return descriptor
  })
  wrap('open', original => (...args) => {
    const done = args.pop() as Callable
    if (typeof done !== 'function') return original(...args, done)
    return original(...args, (error: unknown, descriptor: unknown) => {
      if (!error) own.add(descriptor)
      done(error, descriptor)
    })
  })
}

function refuse(name: string, done: unknown): void {
  const error = Object.assign(
    new Error(`fs.${name}: in a frontend’s sandbox, only of a file that the frontend has opened itself`),
    { code: 'ERR_ACCESS_DENIED' },
  )
  if (typeof done !== 'function') throw error
  process.nextTick(done as Callable, error)
}
