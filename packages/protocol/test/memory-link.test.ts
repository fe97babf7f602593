// Many tests rely on this pair of links, so it must itself behave as a link does.
import { describe, expect, it } from 'vitest'
import { linkBehaviour, recorder, settle } from './link-behaviour.js'
import { linkFlow } from './link-flow.js'
import { createMemoryLinkPair } from './memory-link.js'

linkBehaviour('a memory link', createMemoryLinkPair)
linkFlow('a memory link', createMemoryLinkPair)

describe('a memory link', () => {
  it('delivers in a later microtask, never within send or receive', async () => {
    const [near, far] = createMemoryLinkPair()
    const seen = recorder()
    far.receive(seen)
    near.send({ kind: 1, body: 'a' })
    expect(seen.log).toEqual([])
    await settle()
    expect(seen.log).toEqual(['1:a'])
  })

  it('shares no memory with the sender', async () => {
    const [near, far] = createMemoryLinkPair()
    const body = new Uint8Array([1])
    let received: string | Uint8Array | undefined
    far.receive({ frame: frame => (received = frame.body), closed: () => {} })
    near.send({ kind: 2, body })
    body[0] = 2
    await settle()
    expect(received).toEqual(new Uint8Array([1]))
  })
})
