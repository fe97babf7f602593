// Core's log: pino, whose lines go to the host, so that a bus has one log wherever its threads run. It is loaded with the
// first thing that there is to log: a core that starts has nothing to say.
import { createRequire } from 'node:module'
import type { Logger } from 'pino'

const require = createRequire(import.meta.url)

export function createCoreLog(level: string, write: (line: string) => void): () => Logger {
  let log: Logger | undefined
  return () => {
    if (!log) {
      const { pino } = require('pino') as typeof import('pino')
      log = pino({ level, base: { actor: 'core' } }, { write })
    }
    return log
  }
}
