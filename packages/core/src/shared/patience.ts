// Asks before it judges: how long another thread has been silent does not say why.

/** What can end: a thread, the process of a relay, a gate. */
export interface Peer {
  /**
   * Asks whether it still runs. Its answer travels with its reports, so it follows all that it has said before. One that has ended says so, and
   * does not answer.
   */
  ask(onAnswer: () => void): void
}

const TURNS = 4

/**
 * Gives the peer `ms` milliseconds to end by itself, then asks it, and calls `onAnswer` at its answer: it runs. Returns a function that ends the
 * wait, for who learns of the peer's end. The time is that of this thread's turns: one that was busy or suspended has had one turn, not all.
 */
export function patience(peer: Peer, ms: number, onAnswer: () => void): () => void {
  let isOver = false
  const turn = (left: number): void => {
    if (isOver) return
    if (left === 0) return peer.ask(() => void (isOver || onAnswer()))
    setTimeout(() => setImmediate(() => turn(left - 1)), ms / TURNS).unref()
  }
  turn(TURNS)
  return () => void (isOver = true)
}
