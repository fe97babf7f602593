// All scenarios, in the order in which they run and are shown. Those of the links are a list of their own: they take three
// minutes, and are measured when they are asked for.
import type { Scenario } from '../scenario.js'
import { call } from './call.js'
import { codec } from './codec.js'
import { payload } from './payload.js'
import { start } from './start.js'
import { stream } from './stream.js'

export { linkScenarios } from './link/index.js'

/** What a run without a filter measures. */
export const allScenarios = (): Scenario[] => [call, payload(), stream, start, codec()]
