// Timers for a script. Node's own give out their insides, by which the thread's other timers are found; here a timer is a
// number, as in a browser.

type Callback = (...args: unknown[]) => unknown

export function createTimers(): Record<string, unknown> {
  const timers = new Map<number, NodeJS.Timeout>()
  let last = 0
  const clear = (id: unknown): void => {
    const timer = timers.get(id as number)
    timers.delete(id as number)
    clearTimeout(timer)
  }
  return {
    setTimeout: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checked('setTimeout', run)
      const id = ++last
      const fire = (): void => {
        timers.delete(id)
        callback(...args)
      }
      timers.set(id, setTimeout(fire, Number(ms)))
      return id
    },
    setInterval: (run: unknown, ms?: unknown, ...args: unknown[]): number => {
      const callback = checked('setInterval', run)
      const id = ++last
      timers.set(
        id,
        setInterval(() => void callback(...args), Number(ms)),
      )
      return id
    },
    clearTimeout: clear,
    clearInterval: clear,
    queueMicrotask: (run: unknown): void => {
      const callback = checked('queueMicrotask', run)
      queueMicrotask(() => void callback())
    },
  }
}

function checked(name: string, run: unknown): Callback {
  if (typeof run === 'function') return run as Callback
  throw new TypeError(`${name}: its callback must be a function, not a ${typeof run}`)
}
