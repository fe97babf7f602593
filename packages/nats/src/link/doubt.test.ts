// A peer that is said to be gone: anybody may say so, and the peer itself shows whether it is.
import { describe, expect, it } from 'vitest'
import { createLinkPair } from '../../test/link-pair.js'

describe('a doubt whether the peer is there', () => {
  it('ends the link soon where nothing is heard from it', async () => {
    let over = 0
    const { links } = createLinkPair({ broker: () => {}, heartbeat: 2000, near: { over: () => over++ } })
    const ended = new Promise(resolve => links[0].receive({ frame: () => {}, closed: resolve }))
    links[0].doubt()
    links[0].doubt()
    expect(await ended).toMatchObject({ reason: 'Disconnected' })
    expect(over).toBe(1)
    links[1].close()
  })

  it('does nothing where it answers', async () => {
    const { links, published } = createLinkPair({ heartbeat: 2000 })
    let ended = false
    links[0].receive({ frame: () => {}, closed: () => (ended = true) })
    links[0].doubt()
    await expect.poll(() => published.near.length).toBe(1)
    // A link that has never been answered is given up after a doubt that began later: this one is still there by then.
    const other = createLinkPair({ broker: () => {}, heartbeat: 2000 }).links[0]
    const later = new Promise(resolve => other.receive({ frame: () => {}, closed: resolve }))
    other.doubt()
    await later
    const heard: unknown[] = []
    links[1].receive({ frame: frame => heard.push(frame), closed: () => {} })
    links[0].send({ kind: 1, body: 'x' })
    await expect.poll(() => heard.length).toBe(1)
    expect(ended).toBe(false)
    links[0].close()
  })
})
