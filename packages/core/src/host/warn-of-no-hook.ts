// An isolation pattern without a hook of the user's is allowed, and said.
import type { Logger } from './log.js'
import type { ResolvedOptions } from './options.js'

export function warnOfNoHook(
  { pattern, isolation }: Pick<ResolvedOptions, 'pattern' | 'isolation'>,
  log: Logger,
): void {
  if (pattern !== 'isolation' || isolation.dir) return
  log.warn('The isolation pattern has no dir: its hook passes everything. Calls are sealed and authorized all the same')
}
