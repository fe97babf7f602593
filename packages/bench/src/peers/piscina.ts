// piscina as its README begins: a file, and the rest as it is by default.
import { Piscina } from 'piscina'
import type { Peer } from './peer.js'

export const peer: Peer = {
  connect: () => {
    const pool = new Piscina({ filename: import.meta.resolve('#workers/pool-functions') })
    return (command, args) => pool.run(args, { name: command })
  },
}
