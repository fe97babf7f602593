// @ts-check
// The core module: a sallyport, the double door of a fort, as a machine. One door opens only while the other is
// shut, and an open one shuts by itself. Frontends see the state and the number of passages. The watchword stays in core.
import { defineCore, stateKey } from '@sallyport/core'
import * as v from 'valibot'
import { assign, createActor, setup } from 'xstate'
import { actorPlugin } from './actor-plugin.js'

const port = setup({
  types: {
    context: /** @type {{ watchword: string, passages: number, refused: number }} */ ({}),
    events:
      /** @type {{ type: 'OPEN', door: 'inner' | 'outer', watchword: string } | { type: 'SHUT' } | { type: 'SIEGE' }} */ ({}),
  },
  guards: {
    knowsWord: ({ context, event }) => event.type === 'OPEN' && event.watchword === context.watchword,
  },
}).createMachine({
  context: { watchword: 'portcullis', passages: 0, refused: 0 },
  initial: 'shut',
  on: { SIEGE: '.barred' },
  states: {
    shut: {
      on: {
        OPEN: [
          {
            guard: { type: 'knowsWord' },
            target: 'open',
            actions: assign({ passages: ({ context }) => context.passages + 1 }),
          },
          { actions: assign({ refused: ({ context }) => context.refused + 1 }) },
        ],
      },
    },
    open: { tags: ['draught'], on: { SHUT: 'shut' }, after: { 500: 'shut' } },
    barred: { type: 'final' },
  },
})

// Without SIEGE, which only core sends.
/** @typedef {{ value: string, draught: boolean, passages: number }} PortView What frontends see. */
/** @typedef {v.InferOutput<typeof Events>} PortEvent */
const Events = v.variant('type', [
  v.object({
    type: v.literal('OPEN'),
    door: v.picklist(['inner', 'outer']),
    watchword: v.pipe(v.string(), v.maxLength(50)),
  }),
  v.object({ type: v.literal('SHUT') }),
])

/** @type {import('@sallyport/core').StateKey<import('xstate').ActorRefFrom<typeof port>>} */
const PORT = stateKey('port')

export default defineCore({
  plugins: [
    actorPlugin(
      'port',
      app => {
        const actor = createActor(port)
        app.manage(PORT, actor)
        return actor
      },
      {
        events: Events,
        select: ({ value, tags, context }) => ({ value, draught: tags.has('draught'), passages: context.passages }),
      },
    ),
  ],
  commands: {
    /** @param {{}} _args @param {import('@sallyport/core').CommandContext} ctx */
    siege: (_args, ctx) => ctx.state(PORT).send({ type: 'SIEGE' }),
  },
})
