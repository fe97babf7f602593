import { existsSync, readdirSync } from 'node:fs'
import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { peerArms } from '../arms/peer.js'
import { usualCall } from '../payloads/greet.js'
import { checkOnce, makeReady } from '../workers/check.js'
import { greet } from '../workers/handlers.js'
import { callsOnly } from '../workers/subject.js'
import { PEERS, type PeerName } from './index.js'

const names = Object.keys(PEERS) as PeerName[]

test.each(names)('%s answers the usual call', async name => {
  const { port1, port2 } = new MessageChannel()
  const { peer } = await PEERS[name]()
  try {
    peer.serve(port2, { greet })
    await checkOnce(callsOnly(peer.connect(port1)), usualCall.calls.map(makeReady))
  } finally {
    port1.close()
  }
})

test('every file of this folder is a peer that is listed', () => {
  const files = readdirSync(new URL('.', import.meta.url)).map(name => name.replace('.ts', ''))
  const peers = files.filter(name => !['index', 'peer', 'peers.test'].includes(name))
  expect(peers.toSorted()).toEqual(names.toSorted())
})

test('the report names each with its version, as installed', () => {
  for (const { id, title } of peerArms()) {
    expect(title).toMatch(new RegExp(`^${id} \\d+\\.\\d+\\.\\d+`))
    expect(existsSync(new URL(`./${id}.ts`, import.meta.url))).toBe(true)
  }
})
