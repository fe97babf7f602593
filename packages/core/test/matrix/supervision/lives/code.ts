// The code of frontends and runs, for each sandbox.
import type { ModuleSource } from '../../../../src/index.js'
import { live } from './life.mjs'
import { isScript, type Kind } from './plan.js'

const begin = `;(${live.toString()})(sallyport, sallyport.getData().opening)`

/** Scripts have a global instead of an import. */
export function getModule(kind: Kind): URL | ModuleSource {
  if (kind === 'none') return new URL('frontend.mjs', import.meta.url)
  const source = isScript(kind) ? begin : `import * as sallyport from '@sallyport/frontend'\n${begin}`
  return { source, name: 'life.js' }
}

export type RunEnd = 'returns' | 'calls' | 'throws' | 'loops' | 'exits'

/** The bodies of runs, by how they end. */
export const RUNS: Readonly<Record<RunEnd, string>> = {
  returns: `emit('ran', { token: args.token }); return { token: args.token, text: 'x'.repeat(args.size) }`,
  calls: `return await invoke('later', { token: args.token, size: args.size })`,
  throws: `throw new Error('thrown on purpose')`,
  loops: `for (;;);`,
  exits: `process.exit(3)`,
}
