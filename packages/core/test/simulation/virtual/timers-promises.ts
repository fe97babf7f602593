// `node:timers/promises` over the current global timers, which a running simulation replaces.
export const setTimeout = <T>(delay?: number, value?: T): Promise<T> =>
  new Promise(resolve => void globalThis.setTimeout(() => resolve(value as T), delay))

export const setImmediate = <T>(value?: T): Promise<T> =>
  new Promise(resolve => void globalThis.setImmediate(() => resolve(value as T)))
