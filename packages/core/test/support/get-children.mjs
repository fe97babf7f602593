// Finds the processes that a process has started.
import { readdirSync, readFileSync } from 'node:fs'

/** What a thread or a process that has ended has is nothing. */
function orNone(read) {
  try {
    return read()
  } catch {
    return []
  }
}

/** Returns the ids of the processes that the threads of a process have started. */
export const getChildren = pid =>
  orNone(() => readdirSync(`/proc/${pid}/task`))
    .flatMap(thread => orNone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ')))
    .filter(Boolean)
    .map(Number)
