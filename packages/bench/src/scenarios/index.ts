// All scenarios, in the order in which they run and are shown. A run without a filter measures those that say `main`.
import type { Scenario } from '../scenario.js'
import { authority } from './authority.js'
import { busy } from './busy.js'
import { copied, given, sealed } from './bytes.js'
import { cancel } from './cancel.js'
import { channel } from './channel.js'
import { codec } from './codec.js'
import { documents } from './documents.js'
import { error } from './error.js'
import { events } from './events.js'
import { fanOut, listeners } from './flat.js'
import { http } from './http.js'
import { idleCost } from './idle.js'
import { inspector } from './inspector.js'
import { io } from './io.js'
import { isolation } from './isolation.js'
import { latency } from './latency.js'
import { logging } from './logging.js'
import { natsScenarios } from './nats.js'
import { noise } from './noise.js'
import { oneThread } from './one-thread.js'
import { overload } from './overload.js'
import { payloadScenarios } from './payload.js'
import { recovery } from './recovery.js'
import { memory, sandbox, sandboxStart } from './sandbox.js'
import { slowConsumer } from './slow-consumer.js'
import { sparse } from './sparse.js'
import { start } from './start.js'
import { throughput } from './throughput.js'
import { tracing } from './tracing.js'
import { validation } from './validation.js'

export const allScenarios = (): Scenario[] => [
  noise,
  latency(),
  throughput(),
  isolation,
  documents(),
  events,
  channel,
  start,
  codec(),
  oneThread,
  sparse,
  idleCost,
  busy,
  io(),
  http,
  copied(),
  given(),
  sealed(),
  ...payloadScenarios(),
  ...natsScenarios(),
  slowConsumer,
  overload,
  cancel,
  error,
  recovery,
  validation,
  authority,
  logging,
  tracing,
  inspector,
  fanOut,
  listeners,
  sandbox,
  sandboxStart,
  memory,
]

export const mainScenarios = (): Scenario[] => allScenarios().filter(({ main }) => main)
