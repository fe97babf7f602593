export const tries = 'changes Object.prototype, in its own realm and in that of what it was given'
export const decides = 'a new object of the host has the change'
export const reached = ({ isPolluted }) => isPolluted

export default async ({ tell }) => {
  for (const value of [{}, tell, globalThis]) {
    try {
      for (let each = value; each; each = Object.getPrototypeOf(each)) {
        if (Object.getPrototypeOf(each) === null) each.changedByAttempt = true
      }
      value.constructor.constructor('Object.prototype.changedByAttempt = true')()
    } catch {
      // The next.
    }
  }
  return 'tried all'
}
