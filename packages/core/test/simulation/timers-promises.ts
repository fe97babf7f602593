// `node:timers/promises` over the thread's timers of the moment: those of a simulation while it runs.
export const setTimeout = <T>(delay?: number, value?: T): Promise<T> =>
  new Promise(resolve => void globalThis.setTimeout(() => resolve(value as T), delay))

export const setImmediate = <T>(value?: T): Promise<T> =>
  new Promise(resolve => void globalThis.setImmediate(() => resolve(value as T)))
