// The scenarios of the links, in the order in which they run: each row of the goals is measured in one of them.
import type { Scenario } from '../../scenario.js'
import { busy } from './busy.js'
import { copied, given, sealed } from './bytes.js'
import { channel } from './channel.js'
import { fanOut, inFlight, listeners } from './flat.js'
import { http } from './http.js'
import { idleCost } from './idle.js'
import { io } from './io.js'
import { quiet } from './quiet.js'
import { sparse } from './sparse.js'
import { ringStart } from './start.js'

export const linkScenarios = (): Scenario[] => [
  quiet(),
  sparse,
  idleCost,
  busy,
  io(),
  http,
  copied(),
  given(),
  sealed(),
  channel,
  ringStart,
  inFlight,
  fanOut,
  listeners,
]
