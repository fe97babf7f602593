// The doorbell on a plain model: every interleaving of a producer and a consumer, step by step. None may end with the
// consumer asleep and a frame waiting; and the model is worth something only if it finds the wrong orders wrong.
import { describe, expect, it } from 'vitest'

interface State {
  written: number
  read: number
  parked: boolean
  /** The wait is registered: a ring reaches it. */
  waits: boolean
  /** The sleeper has asked for room. */
  wanted: boolean
  /** Whoever made room has seen that, and is to look whether the other sleeps. */
  asked: boolean
  /** The producer has seen `parked`, and not yet rung. */
  ringing: boolean
  producer: number
  consumer: number
}
type Step = (state: State) => Partial<State> | undefined

const FRAMES = 3
const START: State = {
  ...{ written: 0, read: 0, parked: false, waits: false },
  ...{ wanted: false, asked: false, ringing: false, producer: 0, consumer: 0 },
}

const WRITE: Step = s => ({ written: s.written + 1 })
/** Compare and exchange: sees the flag and clears it at once. */
const TAKE_FLAG: Step = s => (s.parked ? { parked: false, ringing: true } : {})
const NOTIFY: Step = s => (s.ringing ? { ringing: false, waits: false } : {})

const DRAIN: Step = s => ({ read: s.written })
const PARK: Step = () => ({ parked: true })
/** The wait looks at the flag as it is registered: where it is clear by then, this is a ring. */
const LISTEN: Step = s => ({ waits: s.parked })
const BLIND_LISTEN: Step = () => ({ waits: true })
/** Where a frame has slipped in and the flag is still ours: awake again, the wait stays. */
const LOOK: Step = s => (s.read < s.written && s.parked ? { parked: false, consumer: -1 } : {})
/** Nothing: only a ring leads on from here. */
const SLEEP: Step = s => (s.waits ? undefined : {})

/** Every end state from which no step leads on, with a frame that nobody will read. */
function lost(producer: Step[], consumer: Step[]): State[] {
  const seen = new Set<string>()
  const found: State[] = []
  const open: State[] = [START]
  for (let state = open.pop(); state; state = open.pop()) {
    const key = JSON.stringify(state)
    if (seen.has(key)) continue
    seen.add(key)
    let moved = false
    if (state.producer < producer.length * FRAMES) {
      const change = producer[state.producer % producer.length]!(state)
      open.push({ ...state, ...change, producer: state.producer + 1 })
      moved = true
    }
    const change = consumer[state.consumer]!(state)
    if (change) {
      const at = (change.consumer ?? state.consumer) + 1
      open.push({ ...state, ...change, consumer: at % consumer.length })
      moved = true
    }
    if (!moved && state.read < state.written) found.push(state)
  }
  expect(seen.size, 'states that were visited').toBeGreaterThan(50)
  return found
}

describe('the doorbell, in every interleaving,', () => {
  const producer = [WRITE, TAKE_FLAG, NOTIFY]
  const consumer = [DRAIN, PARK, LISTEN, LOOK, SLEEP]

  it('never leaves a frame to a consumer that sleeps', () => {
    expect(lost(producer, consumer)).toEqual([])
  })

  it.each([
    ['a producer that rings before it writes', [TAKE_FLAG, NOTIFY, WRITE], consumer],
    ['a consumer that looks before it parks', producer, [DRAIN, LOOK, PARK, LISTEN, SLEEP]],
    ['a consumer that does not look again', producer, [DRAIN, PARK, LISTEN, SLEEP]],
    ['a wait that does not look at the flag', producer, [DRAIN, PARK, BLIND_LISTEN, LOOK, SLEEP]],
  ])('would, with %s', (_name, wrongProducer, wrongConsumer) => {
    expect(lost(wrongProducer, wrongConsumer)).not.toEqual([])
  })
})

describe('the doorbell for room, in every interleaving,', () => {
  // Here `written` counts what was made free, and `read` what the sender has seen of it: it is the one that sleeps.
  const ASK: Step = () => ({ wanted: true })
  const TAKE_WISH: Step = s => (s.wanted ? { wanted: false, asked: true } : {})
  const TAKE_FLAG_IF_ASKED: Step = s => ({ asked: false, ...(s.asked ? TAKE_FLAG(s) : {}) })
  const receiver = [WRITE, TAKE_WISH, TAKE_FLAG_IF_ASKED, NOTIFY]
  const sender = [PARK, LISTEN, DRAIN, ASK, DRAIN, SLEEP]

  it('never leaves a sender asleep that could write', () => {
    expect(lost(receiver, sender)).toEqual([])
  })

  it.each([
    ['a sender that does not try again after it asked', receiver, [PARK, LISTEN, DRAIN, ASK, SLEEP]],
    ['a sender that asks before it parks', receiver, [DRAIN, ASK, DRAIN, PARK, LISTEN, SLEEP]],
    ['a receiver that looks before it makes room', [TAKE_WISH, TAKE_FLAG_IF_ASKED, NOTIFY, WRITE], sender],
  ])('would, with %s', (_name, wrongReceiver, wrongSender) => {
    expect(lost(wrongReceiver, wrongSender)).not.toEqual([])
  })
})
