// All scenarios, in the order in which they run and are shown. Those that take minutes, or ask one question in detail, are
// lists of their own, and are measured when they are asked for.
import type { Scenario } from '../scenario.js'
import { call } from './call.js'
import { cipherScenarios } from './cipher.js'
import { codec } from './codec.js'
import { linkScenarios } from './link/index.js'
import { payload } from './payload.js'
import { sandbox, sandboxRss, sandboxStart } from './sandbox.js'
import { start } from './start.js'
import { stream } from './stream.js'

export { linkScenarios } from './link/index.js'

/** What a run without a filter measures. */
export const allScenarios = (): Scenario[] => [call, payload(), stream, sandbox, start, codec()]

/** What is measured beside them only where the filter has the word, with which their names begin. */
export const namedScenarios = (): Record<'link' | 'sandbox' | 'cipher', Scenario[]> => ({
  link: linkScenarios(),
  sandbox: [sandboxStart, sandboxRss],
  cipher: cipherScenarios(),
})
