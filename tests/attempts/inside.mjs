// What runs an attempt inside of each place. It is passed on as text, so it uses nothing of this file.

/**
 * @param way the default export of a file in `ways`
 * @param facts paths, ports and process ids that it may know
 * @param tell a function of the host, where a host usually gives one
 * @param importer `import`, where code can have it
 * @returns a JSON text: what it returned, or why it could not
 */
export async function inside(way, facts, tell, importer) {
  /** There is nothing to try. */
  class Missing extends Error {}
  const need = (value, name) => {
    if (value === undefined || value === null) throw new Missing(`no ${name}`)
    return value
  }
  /** A global of this realm, or of the one that made what we were given. */
  const find = name => {
    if (globalThis[name] !== undefined) return globalThis[name]
    for (const value of [tell, globalThis]) {
      try {
        const found = value.constructor.constructor(`return globalThis.${name}`)()
        if (found !== undefined) return found
      } catch {
        // The next.
      }
    }
    return undefined
  }
  const process = find('process')
  const load = async name => {
    const isBuiltin = !name.includes(':')
    let denial
    if (importer) {
      try {
        return await importer(isBuiltin ? `node:${name}` : name)
      } catch (error) {
        denial = error
      }
    }
    const builtin = isBuiltin ? process?.getBuiltinModule?.(name) : undefined
    if (builtin) return builtin
    if (process && denial) throw denial
    throw new Missing(`no ${isBuiltin ? name : 'import'}`)
  }
  const timers =
    typeof find('setTimeout') === 'function'
      ? { setTimeout: find('setTimeout'), setInterval: find('setInterval') }
      : undefined
  try {
    const given = { facts, tell, need, load, process, timers, Deno: globalThis.Deno, fetch: find('fetch') }
    return JSON.stringify({ answer: String(await way(given)) })
  } catch (error) {
    return JSON.stringify({ error: String(error?.message ?? error).slice(0, 300), isMissing: error instanceof Missing })
  }
}
