// URL and URLSearchParams for scripts: Node's classes, without what would lead into Node. The thread's own code keeps the
// same classes.

const KEPT: readonly symbol[] = [Symbol.iterator, Symbol.toStringTag]

/** After lockdown. All that comes from these is frozen, or the script's own. */
export function createUrls(): Record<string, unknown> {
  // What Node shows of one is asked of the object itself, which would be given Node's `inspect`.
  for (const { prototype } of [URL, URLSearchParams]) {
    for (const key of Object.getOwnPropertySymbols(prototype)) {
      if (!KEPT.includes(key)) Reflect.deleteProperty(prototype, key)
    }
  }
  // A registry of the whole process.
  for (const name of ['createObjectURL', 'revokeObjectURL']) Reflect.deleteProperty(URL, name)
  const iterator: object = Object.getPrototypeOf(new URLSearchParams().entries())
  harden(iterator)
  harden(Object.getPrototypeOf(new URL('http://a').searchParams))
  freezeErrors(Reflect.get(iterator, 'next') as () => unknown)
  return { URL, URLSearchParams }
}

/** Each code of Node's has a class of errors of its own. */
function freezeErrors(next: () => unknown): void {
  const make = (given: unknown): URLSearchParams => new URLSearchParams(given as string)
  const provoked: (() => unknown)[] = [
    () => new URL('/'),
    () => (new URL('http://a').href = '/'),
    () => Reflect.construct(URL, []),
    () => Reflect.get(URL.prototype, 'href', {}),
    () => Reflect.apply(next, {}, []),
    () => make([1]),
    () => make([[1]]),
    () => make({ [Symbol.iterator]: 1 }),
    () => URLSearchParams.prototype.forEach.call(make(''), 7 as never),
    () => Reflect.apply(URLSearchParams.prototype.get, make(''), []),
  ]
  for (const provoke of provoked) {
    try {
      provoke()
    } catch (error) {
      harden(Object.getPrototypeOf(error))
    }
  }
}
