// The polling policy with a fake clock: it polls for a hot loop, never for sparse traffic or a short burst, and less and less if polling
// does not pay.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createPollPolicy } from '../../src/link/ring/polling.js'

const FRAME_BYTES = 96

function setUp(leads = true) {
  const polling = createPollPolicy('adaptive', leads)!
  let now = 1000
  let position = 0
  return {
    pass: (milliseconds: number) => (now += milliseconds),
    /** Frames by the doorbell, each `gap` after the previous one. */
    arrive(count: number, gap: number, bytes = FRAME_BYTES) {
      for (let i = 0; i < count; i++) polling.onDoorbell((now += gap), (position += bytes))
    },
    sharesProcessor: () => polling.sharesProcessor,
    start: () => polling.start(now),
    /** Polls until the policy stops, and returns how long that took. */
    pollWithoutFrames() {
      const began = now
      while (polling.mayContinue(now)) now += 0.001
      return now - began
    },
    mayStart: (peerPolls = false) => polling.mayStart(now, peerPolls),
    /** Polls and finds frames, each after a wait. Returns how many it found before the policy stopped. */
    find(count: number, wait: number) {
      for (let i = 0; i < count; i++) {
        polling.mayContinue(now)
        if (!polling.mayContinue((now += wait))) return i
        polling.onFound(now, (position += FRAME_BYTES))
      }
      return count
    },
  }
}

type SetUp = ReturnType<typeof setUp>

/** A hot loop of sleeping callers, long enough to be polled. */
const warm = ({ arrive }: SetUp): void => arrive(1200, 0.05)

describe('the end that leads', () => {
  it('sleeps at first, and polls after 128 frames that came close together', () => {
    const end = setUp()
    expect(end.mayStart()).toBe(false)
    end.arrive(127, 0.1)
    expect(end.mayStart()).toBe(false)
    end.arrive(1, 0.1)
    expect(end.mayStart()).toBe(true)
  })

  it('begins to count again after 5 ms without a frame', () => {
    const end = setUp()
    warm(end)
    end.pass(5)
    end.arrive(127, 0.1)
    expect(end.mayStart()).toBe(false)
  })

  it('polls for large frames that come up to 1 ms apart, after 80 of them', () => {
    const end = setUp()
    end.arrive(79, 0.6, 4096)
    expect(end.mayStart()).toBe(false)
    end.arrive(1, 0.6, 4096)
    expect(end.mayStart()).toBe(true)
    end.arrive(100, 1.1, 4096)
    expect(end.mayStart()).toBe(false)
  })

  it('never polls for bursts of 40 frames with silence between them', () => {
    const end = setUp()
    for (let burst = 0; burst < 20; burst++) {
      end.pass(60)
      end.arrive(40, 0.05)
      expect(end.mayStart()).toBe(false)
    }
  })

  it('never polls for frames that come rarely', () =>
    rows([0.3, 1, 4, 1000])(gap => {
      const end = setUp()
      for (let i = 0; i < 1000; i++) {
        end.arrive(1, gap)
        expect(end.mayStart()).toBe(false)
      }
    }))

  it('is not confused by one delay within a hot loop', () => {
    const end = setUp()
    warm(end)
    end.arrive(1, 2)
    end.arrive(5, 0.05)
    expect(end.mayStart()).toBe(true)
  })

  it('polls for at most 5 ms without a frame', () => {
    const end = setUp()
    warm(end)
    end.start()
    expect(end.pollWithoutFrames()).toBeCloseTo(5, 2)
    end.start()
    end.find(5000, 0.002)
    expect(end.pollWithoutFrames()).toBeCloseTo(5, 2)
  })

  it('stops if each frame takes longer than a wake-up, and continues if frames come fast', () => {
    const end = setUp()
    warm(end)
    end.start()
    expect(end.find(5000, 0.06)).toBeLessThan(200)
    end.start()
    expect(end.find(5000, 0.01)).toBe(5000)
  })

  it('does not count the time that the thread itself needs between frames', () => {
    const end = setUp()
    warm(end)
    end.start()
    for (let i = 0; i < 1000; i++) {
      end.pass(0.1)
      expect(end.find(1, 0.01)).toBe(1)
    }
  })

  it('doubles the time without polling after each unsuccessful poll, up to half a second', () => {
    const end = setUp()
    for (const penalty of [1, 2, 4, 8, 16, 32, 64, 128, 256, 500, 500]) {
      warm(end)
      end.pass(500)
      warm(end)
      end.start()
      end.pollWithoutFrames()
      end.arrive(Math.ceil(penalty / 0.05) - 2, 0.05)
      expect(end.mayStart(), String(penalty)).toBe(false)
      end.arrive(4, 0.05)
      expect(end.mayStart(), String(penalty)).toBe(true)
    }
  })

  it('waits for the end of the penalty even after a silence if polls found next to nothing', () => {
    const end = setUp()
    for (let i = 0; i < 12; i++) {
      warm(end)
      end.start()
      end.pollWithoutFrames()
    }
    end.pass(20)
    warm(end)
    expect(end.mayStart()).toBe(false)
    end.pass(500)
    warm(end)
    expect(end.mayStart()).toBe(true)
  })

  it('tries again after a silence if polls found frames but no gain, and compares with what came since', () => {
    const end = setUp()
    warm(end)
    for (let i = 0; i < 12; i++) {
      end.start()
      end.find(100, 0.06)
      end.pollWithoutFrames()
    }
    // Frames of 64 calls: more bytes a millisecond than one call at a time can bring, even polled.
    for (let i = 0; i < 30; i++) end.arrive(64, 0.001)
    expect(end.mayStart()).toBe(false)
    end.pass(20)
    warm(end)
    expect(end.mayStart()).toBe(true)
    end.start()
    end.find(1000, 0.006)
    end.pollWithoutFrames()
    expect(end.sharesProcessor()).toBe(false)
  })

  it('polls again after 1 ms if a poll has brought frames closer together', () => {
    const end = setUp()
    warm(end)
    for (let i = 0; i < 5; i++) {
      end.start()
      end.pollWithoutFrames()
    }
    warm(end)
    end.start()
    end.find(1000, 0.004)
    end.pollWithoutFrames()
    end.pass(1.01)
    end.arrive(30, 0.05)
    expect(end.mayStart()).toBe(true)
  })

  it('counts a poll as successful only if it brought 1.3 times the bytes', () =>
    rows([
      [0.04, false],
      [0.035, true],
    ] as const)((gap, isSuccess) => {
      const end = setUp()
      warm(end)
      for (let i = 0; i < 2; i++) {
        end.start()
        end.pollWithoutFrames()
      }
      end.start()
      expect(end.find(1000, gap)).toBeLessThan(300)
      // Longer than the shortest penalty, shorter than the next.
      end.arrive(30, 0.05)
      expect(end.mayStart(), String(gap)).toBe(isSuccess)
    }))

  it('counts a poll as unsuccessful if frames came no faster than asleep, as on a busy processor', () => {
    const end = setUp()
    end.arrive(4000, 0.016)
    for (let i = 0; i < 10; i++) {
      end.start()
      // Frames come fast, until the peer loses its processor for longer than a poll waits.
      end.find(150, 0.002)
      end.pollWithoutFrames()
      end.arrive(100, 0.016)
    }
    expect(end.mayStart()).toBe(false)
    end.arrive(20_000, 0.016)
    expect(end.mayStart()).toBe(false)
  })
})

describe('frames between two threads on a busy processor', () => {
  it('are few and full while polls are unsuccessful, and small while polling pays or is tried', () => {
    const end = setUp()
    expect(end.sharesProcessor()).toBe(false)
    warm(end)
    for (let i = 0; i < 3; i++) {
      end.start()
      expect(end.sharesProcessor()).toBe(false)
      end.pollWithoutFrames()
    }
    expect(end.sharesProcessor()).toBe(true)
    end.start()
    end.find(1000, 0.004)
    end.pollWithoutFrames()
    expect(end.sharesProcessor()).toBe(false)
  })
})

describe('the end that follows', () => {
  it('polls if and only if frames come close together and the peer polls', () => {
    const end = setUp(false)
    expect(end.mayStart(true)).toBe(false)
    end.arrive(20, 0.05)
    expect(end.mayStart(true)).toBe(true)
    expect(end.mayStart(false)).toBe(false)
    end.start()
    end.pollWithoutFrames()
    expect(end.mayStart(true)).toBe(true)
  })
})

it('polls in no other mode', () => expect(createPollPolicy('never', true)).toBeUndefined())
