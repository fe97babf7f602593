// Core's log: pino, whose lines go to the host, so that a bus has one log wherever its threads run.
import { pino, type Logger } from 'pino'

export function createCoreLog(level: string, write: (line: string) => void): Logger {
  return pino({ level, base: { actor: 'core' } }, { write })
}
