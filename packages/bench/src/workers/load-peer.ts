// Loads a peer by its name, so that no thread has another than the one it is for.
import type { PeerName } from '../peers/index.js'
import type { Peer } from '../peers/peer.js'

export async function loadPeer(name: PeerName): Promise<Peer> {
  const { peer } = (await import(`../peers/${name}.js`)) as { peer: Peer }
  return peer
}
