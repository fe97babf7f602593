// All scenarios, in the order in which they run and are shown.
import type { Scenario } from '../scenario.js'
import { call } from './call.js'
import { codec } from './codec.js'
import { payload } from './payload.js'
import { start } from './start.js'
import { stream } from './stream.js'

export const allScenarios = (): Scenario[] => [call, payload(), stream, start, codec()]
