// The arms of the peers, the bare MessagePort among them, in the threads that they share.
import type { Arm } from '../arm.js'
import { readVersionOf } from '../run/package-info.js'
import { PEER_NAMES, PEERS, type PeerName } from '../peers/index.js'
import { openInPair } from './pair.js'

function peerArm(name: PeerName): Arm {
  const { carries, from = name, title = from, setting } = PEERS[name]
  const version = from === null ? '' : ` ${readVersionOf(from)}`
  return {
    id: name,
    title: `${title}${version}${setting === undefined ? '' : `, ${setting}`}`,
    carries,
    checks: [],
    open: () => openInPair(name),
  }
}

/** The reference, and the others. */
export function peerArms(): readonly [Arm, ...Arm[]] {
  const [raw, ...others] = PEER_NAMES.map(peerArm)
  return [raw!, ...others]
}
