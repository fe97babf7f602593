// What `await` would wait for: a promise, of this or another realm, or what a library gives in its place.

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
