// The links of the isolation pattern: frontend → gate → core → frontend, in one direction only. If one actor ends, all links end.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { choose, rows } from '../../../scripts/testing.js'
import {
  closeEndpoint,
  createTriangleEndpoints,
  getPorts,
  type LinkEndpoint,
  type LinkKind,
  openLink,
  SplitLink,
  takeOpenEndpoints,
  type TriangleEndpoints,
} from '../src/link/endpoints.js'
import { RING_WORD } from '../src/link/ring/ring-buffer.js'
import type { Link } from '../src/wire/link.js'
import { recorder, type Recorder, settle } from './link-behaviour.js'

const ACTORS = ['frontend', 'gate', 'core'] as const
type Actor = (typeof ACTORS)[number]

const forEachActor = <T>(create: (actor: Actor) => T): Record<Actor, T> => ({
  frontend: create('frontend'),
  gate: create('gate'),
  core: create('core'),
})

/** All three actors within this thread. The gate sends on what it receives, and so does core. */
function connect(kind: LinkKind): { links: Record<Actor, Link>; seen: Record<Actor, Recorder> } {
  const endpoints = createTriangleEndpoints(kind)
  const seen = forEachActor(recorder)
  const links = forEachActor(actor => openLink(endpoints[actor], actor === 'frontend'))
  for (const actor of ACTORS) {
    links[actor].receive({
      frame(frame) {
        seen[actor].frame(frame)
        if (actor !== 'frontend') links[actor].send(frame)
      },
      closed(fault) {
        links[actor].send({ kind: 1, body: `last of ${actor}` })
        seen[actor].closed(fault)
      },
    })
  }
  return { links, seen }
}

/** A thread that sends on what it receives. */
function start(endpoints: TriangleEndpoints, actor: Actor): Worker {
  const endpoint = endpoints[actor]
  const workerData = { endpoint, role: 'pass on', first: actor === 'frontend' ? 20 : 0 }
  return new Worker(new URL('ring/peer.mjs', import.meta.url), { workerData, transferList: getPorts(endpoint) })
}

const started: Worker[] = []
afterEach(async () => void (await Promise.all(started.splice(0).map(worker => worker.terminate()))))

for (const kind of choose(['port', 'ring'] as const))
  describe(`a triangle of ${kind} links`, () => {
    it('passes frames of every kind and size in a circle, in order', async () => {
      const { links, seen } = connect(kind)
      const frames = ([1, 2, 3, 5, 2] as const).map((of, i) => ({ kind: of, body: `${i}`.repeat(10 ** i) }))
      for (const { kind: of, body } of frames)
        links.frontend.send({ kind: of, body: new Uint8Array(Buffer.from(body)) })
      const expected = frames.map(frame => `${frame.kind}:${frame.body}`)
      await expect.poll(() => ACTORS.map(actor => seen[actor].log.length)).toEqual([5, 5, 5])
      expect(ACTORS.map(actor => seen[actor].log)).toEqual([expected, expected, expected])
      links.frontend.close()
    })

    it('ends everywhere after one end has closed, and after the last frames of the others', () =>
      rows([
        ['frontend', { frontend: [], gate: [], core: ['1:last of gate'] }],
        ['gate', { frontend: ['1:last of core'], gate: [], core: [] }],
        ['core', { frontend: [], gate: ['1:last of frontend'], core: [] }],
      ] as const)(async (closing, last) => {
        const { links, seen } = connect(kind)
        await settle()
        links[closing].close()
        await settle()
        expect(ACTORS.map(actor => seen[actor].log)).toEqual(ACTORS.map(actor => [...last[actor], 'closed']))
      }))

    it('delivers what waited for room when the frontend closed', async () => {
      const { links, seen } = connect(kind)
      links.gate.pause()
      for (let i = 0; i < 300; i++) links.frontend.send({ kind: 2, body: new Uint8Array(60_000) })
      links.frontend.close()
      await settle()
      links.gate.resume()
      await expect.poll(() => seen.gate.log.at(-1)).toBe('closed')
      expect(seen.gate.log).toHaveLength(301)
    })

    it('ends in the other threads after the thread of any end was terminated', () =>
      rows(ACTORS)(async dying => {
        const endpoints = createTriangleEndpoints(kind)
        const workers = forEachActor(actor => start(endpoints, actor))
        started.push(...Object.values(workers))
        const others = ACTORS.filter(actor => actor !== dying)
        await Promise.all(ACTORS.map(actor => once(workers[actor], 'message')))
        const ended = Promise.all(
          others.map(async actor => Promise.all([once(workers[actor], 'message'), once(workers[actor], 'exit')])),
        )
        await workers[dying].terminate()
        closeEndpoint(endpoints[dying])
        expect(await ended, 'nothing keeps these threads alive').toEqual(others.map(() => [['closed'], [0]]))
      }))
  })

it('an end is no longer open once both of its rings have ended, also if a hostile thread has woken nobody', async () => {
  const { frontend, gate } = createTriangleEndpoints('ring', 'never')
  const other = createTriangleEndpoints('ring', 'never').frontend
  expect(takeOpenEndpoints([frontend, other])).toEqual([frontend, other])
  const seen = recorder()
  openLink(gate, false).receive(seen)
  await settle()
  const { out, in: inward } = frontend as Extract<LinkEndpoint, { kind: 'ring' }>
  new Int32Array(out)[RING_WORD.finished] = 1
  expect(takeOpenEndpoints([frontend, other]), 'core could still wait for room').toEqual([frontend, other])
  new Int32Array(inward)[RING_WORD.abandoned] = 1
  expect(takeOpenEndpoints([frontend, other])).toEqual([other])
  await settle()
  expect(seen.log).toEqual(['closed'])
})

it('an end that has closed is told so once what it has sent has left', async () => {
  const closed: (() => void)[] = []
  const createFake = (): Link => ({
    queued: 0,
    room: () => undefined,
    send() {},
    receive: receiver => void closed.push(() => receiver.closed(undefined)),
    pause() {},
    resume() {},
    close() {},
  })
  const link = new SplitLink(createFake(), createFake())
  const seen = recorder()
  link.receive(seen)
  link.close()
  const [left, read] = closed as [() => void, () => void]
  read()
  await settle()
  expect(seen.log).toEqual([])
  left()
  await settle()
  expect(seen.log).toEqual(['closed'])
})
