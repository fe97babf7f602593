// The peers, by the names of their packages, which are the names of their files too.

export const PEERS = ['birpc', 'comlink', 'vscode-jsonrpc'] as const

export type PeerName = (typeof PEERS)[number]
