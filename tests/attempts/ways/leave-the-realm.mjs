export const tries = 'finds the globals of the host by constructors and errors of what it was given'
export const decides = "a value that only the host's globals have is in its answer"
export const reached = ({ answer, mark }) => answer.includes(mark)

export default async ({ tell }) => {
  const find = 'return globalThis.markOfTheHost'
  const given = [tell, globalThis, Function, Error, Promise.resolve()]
  const overflow = () => {
    try {
      return overflow()
    } catch (error) {
      tell?.('x')
      throw error
    }
  }
  for (const call of [() => tell({ toString: null }), () => tell(Symbol('x')), () => tell.call(null, {}), overflow]) {
    try {
      given.push(await call())
    } catch (error) {
      given.push(error)
    }
  }
  Error.prepareStackTrace = (_error, sites) => {
    for (const site of sites) given.push(site, site.getThis?.(), site.getFunction?.())
    return ''
  }
  void new Error('x').stack
  for (const value of given) {
    for (let each = value, depth = 0; each !== undefined && each !== null && depth < 4; depth++) {
      try {
        const mark = each.constructor.constructor(find)()
        if (mark) return String(mark)
        each = Object.getPrototypeOf(each)
      } catch {
        break
      }
    }
  }
  return 'not found'
}
