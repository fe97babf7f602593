export const tries = 'finds the globals of the host by constructors and errors of what it was given'
export const decides = "a value that only the host's globals have is in its answer"
export const reached = ({ answer, mark }) => answer.includes(mark)

export default async ({ tell }) => {
  const search = value => {
    for (let each = value, depth = 0; each !== undefined && each !== null && depth < 4; depth++) {
      try {
        const mark = each.constructor.constructor('return globalThis.markOfTheHost')()
        if (mark) return String(mark)
        each = Object.getPrototypeOf(each)
      } catch {
        return undefined
      }
    }
    return undefined
  }
  const given = [tell, globalThis, Function, Error, Promise.resolve()]
  Error.prepareStackTrace = (_error, sites) => {
    for (const site of sites) given.push(site, site.getThis?.(), site.getFunction?.())
    return ''
  }
  void new Error('x').stack
  // The host fails at the end of its stack: last, since that ends some engines.
  const overflow = () => {
    tell('x')
    return overflow()
  }
  for (const call of [
    null,
    () => tell({ toString: null }),
    () => tell(Symbol('x')),
    () => tell.call(null, {}),
    overflow,
  ]) {
    try {
      given.push(call?.())
    } catch (error) {
      given.push(error)
    }
    const found = given.splice(0).map(search).find(Boolean)
    if (found) return found
  }
  return 'not found'
}
