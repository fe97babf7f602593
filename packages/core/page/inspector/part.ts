// A part of the page that shows something of each snapshot.
import type { Snapshot } from './follow.js'

export interface Part {
  show(snapshot: Snapshot): void
}
