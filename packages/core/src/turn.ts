// When core sends what it has to say. Answers that come late, each out of a callback of its own, wait for the end of the event
// loop's turn, and go in one frame: a frame of its own for each, with a waking of the peer, costs more than the answer does.
// But what follows from a frame that has just come in, by promises alone, goes as soon as those have settled.

let begun = false

/** Called where a frame has set promises going. */
export function beginTurn(): void {
  if (begun) return
  begun = true
  queueMicrotask(afterPromises)
}

/** Calls `flush` at the end of the turn. */
export function atEndOfTurn(flush: () => void): void {
  if (begun) process.nextTick(flush)
  else setImmediate(flush)
}

let number = 0
let counting = false

/** Another one in each turn in which it is asked for. */
export function turnNumber(): number {
  if (!counting) {
    counting = true
    setImmediate(nextNumber)
  }
  return number
}

function nextNumber(): void {
  counting = false
  number++
}

// A tick that is asked for by a promise's callback runs when all promises have settled; one asked for earlier, before them.
const afterPromises = (): void => process.nextTick(endTurn)

function endTurn(): void {
  begun = false
}
