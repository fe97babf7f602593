// Who has the ends of rings: a thread that ends leaves its rings as they are, and only the host ends them.
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import { RING_WORD } from '../../../../protocol/src/link/ring/ring-buffer.js'
import { Place } from './place.js'

type RingEnds = Extract<LinkEndpoint, { kind: 'ring' }>

/** One direction of a link over rings, as the model sees it. */
export interface RingEnd {
  readonly peer: { readonly place: Place }
  readonly fate: { readonly isOver: boolean }
  readonly isOver: boolean
}

interface Owner {
  readonly place: Place
  readonly thread: Place
}

const NOBODY = new Place('nobody')

export class Rings {
  readonly #writers = new WeakMap<ArrayBufferLike, Owner>()
  readonly #readers = new WeakMap<ArrayBufferLike, Owner>()

  /** A thread, or a script in it, has got its end of a link. */
  own(end: LinkEndpoint, place: Place, thread: Place = place): void {
    if (end.kind === 'split') {
      this.own(end.to, place)
      this.own(end.from, place)
    } else if (end.kind === 'ring') {
      this.#writers.set(end.out, { place, thread })
      this.#readers.set(end.in, { place, thread })
    }
  }

  /** Returns the thread that sleeps at a word. */
  getSleeper(memory: ArrayBufferLike, word: number): Place | undefined {
    return (word === RING_WORD.parked ? this.#readers : this.#writers).get(memory)?.thread
  }

  /** The ends of a frontend's link. */
  getEnds(end: RingEnds): { out: RingEnd; in: RingEnd } {
    return {
      out: this.#getEnd(end.out, () => this.#readers.get(end.out)?.place),
      in: this.#getEnd(end.in, () => this.#writers.get(end.in)?.place),
    }
  }

  #getEnd(memory: SharedArrayBuffer, getPeer: () => Place | undefined): RingEnd {
    const words = new Int32Array(memory)
    const isOver = (): boolean =>
      getPeer()?.dead === true ||
      Atomics.load(words, RING_WORD.finished) !== 0 ||
      Atomics.load(words, RING_WORD.abandoned) !== 0
    const fate = {
      get isOver() {
        return isOver()
      },
    }
    return {
      fate,
      get peer() {
        return { place: getPeer() ?? NOBODY }
      },
      get isOver() {
        return isOver()
      },
    }
  }
}
