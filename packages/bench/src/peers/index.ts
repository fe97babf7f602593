// The peers, the bare MessagePort first: what each carries, and how to load it. None of them checks anything on the way. Each
// is loaded where it is measured.
import type { Peer } from './peer.js'

export type PeerName =
  | 'raw'
  | 'raw-batched'
  | 'raw-json'
  | 'birpc'
  | 'capnweb'
  | 'comlink'
  | 'json-rpc-2-0'
  | 'orpc'
  | 'penpal'
  | 'vscode-jsonrpc'
  | 'piscina'
  | 'piscina-tuned'
  | 'threads'
  | 'tinypool'
  | 'workerpool'

export interface KnownPeer {
  load(): Promise<{ peer: Peer }>
  /** How values cross. */
  carries: 'structured clone' | 'JSON text' | 'JSON-RPC text'
  /** Its package, of which the version is shown, where it isn't named as the peer is; `null` for what has none. */
  from?: string | null
  /** Its name in a report, where that isn't the package's. */
  title?: string
  /** How it is set up, where that is not as its README begins. */
  setting?: string
}

export const PEERS: Readonly<Record<PeerName, KnownPeer>> = {
  raw: { load: () => import('./raw.js'), carries: 'structured clone', from: null, title: 'raw MessagePort' },
  'raw-batched': {
    load: () => import('./raw-batched.js'),
    carries: 'structured clone',
    from: null,
    title: 'raw, one post a turn',
  },
  'raw-json': { load: () => import('./raw-json.js'), carries: 'JSON text', from: null, title: 'raw, JSON text' },
  birpc: { load: () => import('./birpc.js'), carries: 'structured clone' },
  capnweb: { load: () => import('./capnweb.js'), carries: 'structured clone' },
  comlink: { load: () => import('./comlink.js'), carries: 'structured clone' },
  'json-rpc-2-0': { load: () => import('./json-rpc-2-0.js'), carries: 'JSON-RPC text', from: 'json-rpc-2.0' },
  orpc: { load: () => import('./orpc.js'), carries: 'JSON text', from: '@orpc/server', title: 'oRPC' },
  penpal: { load: () => import('./penpal.js'), carries: 'structured clone' },
  'vscode-jsonrpc': { load: () => import('./vscode-jsonrpc.js'), carries: 'structured clone' },
  piscina: { load: () => import('./piscina.js'), carries: 'structured clone' },
  'piscina-tuned': {
    load: () => import('./piscina-tuned.js'),
    carries: 'structured clone',
    from: 'piscina',
    setting: 'tuned',
  },
  threads: { load: () => import('./threads.js'), carries: 'structured clone' },
  tinypool: { load: () => import('./tinypool.js'), carries: 'structured clone' },
  workerpool: { load: () => import('./workerpool.js'), carries: 'structured clone' },
}

export const PEER_NAMES: readonly PeerName[] = Object.keys(PEERS) as PeerName[]
