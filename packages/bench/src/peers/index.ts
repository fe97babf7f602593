// The peers, by the names of their packages. Each is loaded where it is needed: no thread has another than its own.
import type { Peer } from './peer.js'

export type PeerName = 'birpc' | 'comlink' | 'vscode-jsonrpc'

export const PEERS: Readonly<Record<PeerName, () => Promise<{ peer: Peer }>>> = {
  birpc: () => import('./birpc.js'),
  comlink: () => import('./comlink.js'),
  'vscode-jsonrpc': () => import('./vscode-jsonrpc.js'),
}
