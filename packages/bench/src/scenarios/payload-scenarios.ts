// The scenarios of a user's payloads: a table for each, with every transport in its rows.
import { payloadArms } from '../arms/payload-arms.js'
import { latency, NOISE, rate, type Case, type Scenario } from './scenario.js'
import { payloadBytes, type Payload } from './payloads.js'
import { loadUserPayloads } from './user-payloads.js'
import { PAYLOAD_PREFIX } from '../report/advice.js'
import { formatBytes } from '../shared/text.js'
import { allScenarios } from './index.js'

/** Larger payloads in flight would measure garbage collection. */
const MANY = 8

/** The noise check, and a scenario for each payload of a file. @throws {UsageError} if there is none */
export async function loadPayloadScenarios(file: string): Promise<Scenario[]> {
  const payloads = await loadUserPayloads(file)
  return [...allScenarios().filter(({ id }) => id === NOISE), ...payloads.map(toScenario)]
}

function toScenario(payload: Payload): Scenario {
  const inCase = (inFlight: number, title: string, figures: Case['figures']): Case => ({
    ...{ id: String(inFlight), title, task: { loop: 'calls', inFlight }, payload, figures },
  })
  return {
    id: `${PAYLOAD_PREFIX}${payload.id}`,
    title: `${payload.title}, ${formatBytes(payloadBytes(payload))}`,
    about:
      'echo(payload) between two threads, one at a time and several in flight. The bytes are those of its JSON, which no side writes or parses' +
      ' there. The hook and the encryption, a process and its wall are those of Sallyport. The reference is a structured clone over a MessagePort',
    arms: payloadArms({ isBytes: payload.calls.some(({ bytes }) => bytes) }),
    cases: [
      inCase(1, 'one at a time', [latency('p50', 'there and back')]),
      inCase(MANY, `${MANY} in flight`, [rate('rate', `${MANY} in flight`)]),
    ],
    rows: 'arms',
    main: true,
    ...{ share: 3, settleShare: 0.4, warmUpShare: 1, roundsShare: 0.75 },
  }
}
