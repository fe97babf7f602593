// The types of an actor in core: its snapshots as they arrive, and its events as they can be sent.
import { createClient } from '@sallyport/frontend'
import { remoteActor, type RemoteActorOf } from '@sallyport/frontend/xstate'
import { expectTypeOf, test } from 'vitest'
import { createActor, setup } from 'xstate'
import { z } from 'zod'
import { defineCore } from '../../src/index.js'
import { actorPlugin, type SnapshotView } from '../../src/xstate.js'

const machine = setup({
  types: {
    context: {} as { count: number; since: Date },
    events: {} as { type: 'NEXT' } | { type: 'SET'; to: number },
  },
}).createMachine({ context: { count: 0, since: new Date() }, initial: 'a', states: { a: {}, b: {} } })

const core = defineCore({
  plugins: [
    actorPlugin('plain', () => createActor(machine)),
    actorPlugin('chosen', () => createActor(machine), {
      select: ({ context }) => ({ since: context.since }),
      events: z.object({ type: z.literal('SET'), to: z.coerce.number() }),
    }),
  ],
})

test('events and snapshots', async () => {
  const plain = await remoteActor<RemoteActorOf<typeof core, 'plain'>>('plain')
  expectTypeOf(plain.getSnapshot()).toEqualTypeOf<{
    status: SnapshotView['status']
    value: 'a' | 'b'
    tags: string[]
  }>()
  void plain.send({ type: 'SET', to: 1 })
  // @ts-expect-error there is no such event
  void plain.send({ type: 'NO' })

  const chosen = await remoteActor<RemoteActorOf<typeof core, 'chosen'>>('chosen')
  expectTypeOf(chosen.getSnapshot()).toEqualTypeOf<{ since: string }>()
  chosen.subscribe(({ since }) => expectTypeOf(since).toEqualTypeOf<string>())
  // @ts-expect-error the schema takes SET alone
  void chosen.send({ type: 'NEXT' })

  void createClient<typeof core>().invoke('plugin:plain|send', { event: { type: 'NEXT' } })
})
