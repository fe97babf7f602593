// @ts-check
// Keeps a rename from moving a link between the check of a path and its use: renames run alone, all other commands together.

/** @type {Promise<unknown>} The last rename. */
let renamed = Promise.resolve()
/** @type {Set<Promise<unknown>>} Commands since the last rename that have not ended. */
let running = new Set()

/**
 * Runs in the order of the calls, so that neither renames nor the others can starve.
 *
 * @template T
 * @param {boolean} isRename
 * @param {() => T | Promise<T>} run
 * @returns {Promise<T>}
 */
export function inOrder(isRename, run) {
  const result = (isRename ? Promise.all([renamed, ...running]) : renamed).then(run)
  const end = result.then(
    () => void running.delete(end),
    () => void running.delete(end),
  )
  if (isRename) {
    renamed = end
    running = new Set()
  } else running.add(end)
  return result
}
