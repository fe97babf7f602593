// A frontend as an object whose methods call the functions that it exposes.
import { BusError, describeName } from '@sallyport/protocol/internal'

type CallFunction = (label: string, name: string, args?: object, options?: object) => Promise<unknown>

/** Names that JavaScript and test runners look up, and call, on objects of any kind. */
const NEVER_CALLED: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['then', 'toJSON', 'asymmetricMatch'],
])

/**
 * Returns an object of which every other member is a function that calls the frontend. Each call looks the label up: the frontend can
 * open later, restart or end.
 *
 * @param where - the function that returns the proxy, for error texts
 */
export function createFrontendProxy(where: string, label: string, call: CallFunction): object {
  if (typeof label !== 'string') {
    throw new BusError('InvalidParams', `${where} takes the label of a frontend: got ${typeof label}`)
  }
  const toString = (): string => `frontend ${describeName(label)}`
  const prototype: object = { toString, [Symbol.for('nodejs.util.inspect.custom')]: toString }
  return new Proxy(Object.freeze(Object.create(prototype) as object), {
    get: (target, name) =>
      typeof name === 'symbol' || NEVER_CALLED.has(name)
        ? (Reflect.get(target, name) as unknown)
        : (args?: object, options?: object) => call(label, name, args, options),
  })
}
