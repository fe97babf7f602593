// What has come: pieces of the stream of frames, until their owner takes the frames in them. It then gives their bytes back to
// the peer as credit: a receiver that is paused costs a window, and no more.
import {
  CREDIT_WINDOW_BYTES,
  MAX_BESIDE_BYTES,
  StreamFrames,
  TakenBytes,
  type ReceivedFrame,
} from '@sallyport/protocol'
import { costOf, MAX_DATA_BYTES } from './messages.js'

export class Incoming {
  readonly #give: (total: number) => void
  readonly #frames = new StreamFrames(MAX_BESIDE_BYTES)
  readonly #taken = new TakenBytes()
  #arrived: Buffer[] = []
  #arrivedBytes = 0
  /** What the piece costs whose frames are being taken. */
  #cost = 0

  /** @param give tells the peer how many bytes were taken in all */
  constructor(give: (total: number) => void) {
    this.#give = give
  }

  /** A frame has begun, and is not whole. */
  get within(): boolean {
    return this.#frames.within
  }

  /** False where the peer may not send it: an honest one sends nothing once it has filled the window. */
  add(piece: Buffer): boolean {
    if (piece.length === 0 || piece.length > MAX_DATA_BYTES || this.#arrivedBytes >= CREDIT_WINDOW_BYTES) return false
    this.#arrived.push(piece)
    this.#arrivedBytes += costOf(piece.length)
    return true
  }

  /** The next whole frame: what came before it is taken. @throws BusError `InvalidRequest` for what is none */
  next(): ReceivedFrame | undefined {
    for (;;) {
      const frame = this.#frames.next()
      if (frame) return frame
      if (this.#cost > 0) this.#takeBack()
      const piece = this.#arrived.shift()
      if (!piece) return undefined
      this.#cost = costOf(piece.length)
      this.#frames.add(piece)
    }
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    this.#arrived = []
  }

  #takeBack(): void {
    const cost = this.#cost
    this.#cost = 0
    this.#arrivedBytes -= cost
    const total = this.#taken.add(cost)
    if (total > 0) this.#give(total)
  }
}
