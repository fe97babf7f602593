// Many tests of others rely on this pair of links, too.
import { describe, expect, it } from 'vitest'
import { linkBehaviour, recorder, settle } from '../../test/link-behaviour.js'
import { linkFlow } from '../../test/link-flow.js'
import type { Frame, ReceivedFrame } from '../wire/link.js'
import { closeEndpoint, createLinkEndpoints, openLink } from './endpoints.js'
import { LocalLink } from './local-link.js'

linkBehaviour('a local link', LocalLink.createPair, settle, true)
linkFlow('a local link', LocalLink.createPair)

describe('a local link', () => {
  it('delivers in a later microtask, never within send or receive', async () => {
    const [near, far] = LocalLink.createPair()
    const seen = recorder()
    far.receive(seen)
    near.send({ kind: 1, body: 'a' })
    expect(seen.log).toEqual([])
    await settle()
    expect(seen.log).toEqual(['1:a'])
  })

  it('shares no memory with the sender', async () => {
    const [near, far] = LocalLink.createPair()
    const body = new Uint8Array([1])
    let received: string | Uint8Array | undefined
    far.receive({ frame: frame => (received = frame.body), closed: () => {} })
    near.send({ kind: 2, body })
    body[0] = 2
    await settle()
    expect(received).toEqual(new Uint8Array([1]))
  })

  it('passes on memory that was transferred, and copies what is borrowed or part of a larger buffer', async () => {
    const [near, far] = LocalLink.createPair()
    const received: ReceivedFrame[] = []
    far.receive({ frame: frame => received.push(frame), closed: () => {} })
    const body = new Uint8Array([1, 2, 3])
    near.send({ kind: 5, body })
    near.send({ kind: 5, body, borrowed: true })
    near.send({ kind: 5, body: body.subarray(1) })
    await settle()
    expect(received.map(frame => (frame.body as Uint8Array).buffer === body.buffer)).toEqual([true, false, false])
    expect(received.map(frame => Array.from(frame.body as Uint8Array))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [2, 3],
    ])
  })

  it('lends memory, within send, to a receiver that forwards', () => {
    const [near, far] = LocalLink.createPair()
    const received: Frame[] = []
    far.receive({ forwards: true, frame: frame => received.push(frame), closed: () => {} })
    const borrowed: Frame = { kind: 5, body: new Uint8Array([1, 2, 3]), borrowed: true }
    near.send(borrowed)
    expect(received).toEqual([borrowed])
    expect(received[0]!.body).toBe(borrowed.body)
  })

  it('copies, in order, what has to wait for a receiver that forwards', async () => {
    const [near, far] = LocalLink.createPair()
    const received: ReceivedFrame[] = []
    far.receive({ forwards: true, frame: frame => received.push(frame), closed: () => {} })
    far.pause()
    const body = new Uint8Array([1])
    near.send({ kind: 5, body, borrowed: true })
    body[0] = 2
    far.resume()
    near.send({ kind: 1, body: 'later' })
    await settle()
    expect(received).toEqual([
      { kind: 5, body: new Uint8Array([1]) },
      { kind: 1, body: 'later' },
    ])
  })

  it('has room once it is closed, whatever its receiver has not read', async () => {
    const [near, far] = LocalLink.createPair()
    far.receive({ frame: () => {}, closed: () => {} })
    far.pause()
    while (!near.room()) near.send({ kind: 5, body: new Uint8Array(2 ** 20) })
    near.close()
    await settle()
    expect(near.room()).toBeUndefined()
  })

  it('leaves room before a record, for the kind byte of the link that it is sent on with', async () => {
    const [near, far] = LocalLink.createPair()
    let received: ReceivedFrame | undefined
    far.receive({ frame: frame => (received = frame), closed: () => {} })
    near.send({ kind: 3, body: new Uint8Array([7]) })
    await settle()
    expect((received!.body as Uint8Array).byteOffset).toBe(1)
  })
})

describe('the endpoints of a local link', () => {
  it('are data that a message can hold, and each is opened once', async () => {
    const [nearEnd, farEnd] = structuredClone(createLinkEndpoints('local'))
    const near = openLink(nearEnd, true)
    const [atNear, atFar, again] = [recorder(), recorder(), recorder()]
    near.receive(atNear)
    near.send({ kind: 1, body: 'early' })
    openLink(farEnd, false).receive(atFar)
    openLink(farEnd, false).receive(again)
    await settle()
    expect(atFar.log).toEqual(['1:early'])
    expect(again.log, 'closed, and not the same link').toEqual(['closed'])
    closeEndpoint(nearEnd)
    await settle()
    expect(atNear.log, 'an open end belongs to who has opened it').toEqual([])
  })

  it('end the other end if they are closed before they are opened', async () => {
    const [nearEnd, farEnd] = createLinkEndpoints('local')
    closeEndpoint(farEnd)
    const atNear = recorder()
    openLink(nearEnd, true).receive(atNear)
    await settle()
    expect(atNear.log).toEqual(['closed'])
  })
})
