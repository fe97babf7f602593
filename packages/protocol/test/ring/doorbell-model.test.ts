// A model of the doorbell: every interleaving of a producer and a consumer, step by step. None may end with a sleeping consumer and a
// waiting frame. The model must find the known wrong orders.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'

interface State {
  written: number
  read: number
  parked: boolean
  /** True if the wait is registered, so that a ring reaches it. */
  waits: boolean
  /** True if the sleeper has asked for room. */
  wanted: boolean
  /** True if the side that made room has seen the request, and must check whether the other sleeps. */
  asked: boolean
  /** True if the producer has seen `parked` but has not rung yet. */
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
/** Compare and exchange: reads and clears the flag in one step. */
const TAKE_FLAG: Step = s => (s.parked ? { parked: false, ringing: true } : {})
const NOTIFY: Step = s => (s.ringing ? { ringing: false, waits: false } : {})

const DRAIN: Step = s => ({ read: s.written })
const PARK: Step = () => ({ parked: true })
/** Registering a wait checks the flag: if it is already clear, the wait ends as if rung. */
const LISTEN: Step = s => ({ waits: s.parked })
const BLIND_LISTEN: Step = () => ({ waits: true })
/** If a frame has come and the flag is still set, the consumer is awake again, and the wait remains. */
const LOOK: Step = s => (s.read < s.written && s.parked ? { parked: false, consumer: -1 } : {})
/** No step: only a ring continues from here. */
const SLEEP: Step = s => (s.waits ? undefined : {})

/** Returns the final states with a frame that is never read. */
function lost(producer: readonly Step[], consumer: readonly Step[]): State[] {
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

  it('never leaves a frame to a sleeping consumer', () => {
    expect(lost(producer, consumer)).toEqual([])
  })

  it('would do so with a wrong order of steps', () =>
    rows([
      ['a producer that rings before it writes', [TAKE_FLAG, NOTIFY, WRITE], consumer],
      ['a consumer that looks before it parks', producer, [DRAIN, LOOK, PARK, LISTEN, SLEEP]],
      ['a consumer that does not look again', producer, [DRAIN, PARK, LISTEN, SLEEP]],
      ['a wait that does not look at the flag', producer, [DRAIN, PARK, BLIND_LISTEN, LOOK, SLEEP]],
    ])((_name, wrongProducer, wrongConsumer) => expect(lost(wrongProducer, wrongConsumer)).not.toEqual([])))
})

describe('the doorbell for room, in every interleaving,', () => {
  // Here the sender sleeps: `written` counts the freed room, and `read` what the sender has seen of it.
  const ASK: Step = () => ({ wanted: true })
  const TAKE_WISH: Step = s => (s.wanted ? { wanted: false, asked: true } : {})
  const TAKE_FLAG_IF_ASKED: Step = s => ({ asked: false, ...(s.asked ? TAKE_FLAG(s) : {}) })
  const receiver = [WRITE, TAKE_WISH, TAKE_FLAG_IF_ASKED, NOTIFY]
  const sender = [PARK, LISTEN, DRAIN, ASK, DRAIN, SLEEP]

  it('never lets a sender sleep while there is room', () => {
    expect(lost(receiver, sender)).toEqual([])
  })

  it('would do so with a wrong order of steps', () =>
    rows([
      ['a sender that does not try again after it asked', receiver, [PARK, LISTEN, DRAIN, ASK, SLEEP]],
      ['a sender that asks before it parks', receiver, [DRAIN, ASK, DRAIN, PARK, LISTEN, SLEEP]],
      ['a receiver that looks before it makes room', [TAKE_WISH, TAKE_FLAG_IF_ASKED, NOTIFY, WRITE], sender],
    ])((_name, wrongReceiver, wrongSender) => expect(lost(wrongReceiver, wrongSender)).not.toEqual([])))
})
