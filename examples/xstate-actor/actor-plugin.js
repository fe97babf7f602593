// @ts-check
// A core plugin for an XState actor: frontends follow its snapshots and send it events, each as far as its permissions allow. Any version of
// XState can make the actor, because nothing is imported from it.
import { EventEmitter, once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { command, CommandError, plugin, stateKey } from '@sallyport/core'
import * as v from 'valibot'

/** Channels on which one frontend can follow the actor. */
const MAX_FOLLOWED = 16

/**
 * Creates the plugin, with the permissions `<name>:allow-send` and `<name>:allow-subscribe`. It starts the actor with core, and stops it with core.
 *
 * @template {import('xstate').AnyActorRef} Actor
 * @template View
 * @param {string} name
 * @param {(app: import('@sallyport/core').App) => Actor} create
 * @param {{ events: v.GenericSchema<any, any>, select: (snapshot: ReturnType<Actor['getSnapshot']>) => View }} options
 *   `events` are those that frontends can send: never XState's own, which stop an actor or forge the events of its children. `select` returns
 *   what frontends see of a snapshot.
 */
export function actorPlugin(name, create, { events, select }) {
  /** @type {import('@sallyport/core').StateKey<{ actor: Actor, changes: EventEmitter, followed: Map<string, number> }>} */
  const RUNNING = stateKey(name)
  /** @param {Actor} actor */
  const isActive = actor => actor.getSnapshot().status === 'active'

  return plugin(name, {
    setup(app) {
      const actor = create(app)
      const changes = new EventEmitter().setMaxListeners(0)
      const changed = () => void changes.emit('changed')
      // Without an error observer, XState throws errors where they cannot be caught, which would end core.
      const error = (/** @type {unknown} */ err) => {
        app.log.error({ err }, `the actor ${name} has failed`)
        changed()
      }
      actor.subscribe({ next: changed, error, complete: changed })
      app.manage(RUNNING, { actor, changes, followed: new Map() })
      actor.start()
    },
    teardown: app => app.state(RUNNING).actor.stop(),
    commands: {
      send: command({ args: v.object({ event: events }) }, ({ event }, ctx) => {
        const { actor } = ctx.state(RUNNING)
        if (!isActive(actor)) throw new CommandError('ENDED', `the actor ${name} has ended: it takes no more events`)
        actor.send(event)
      }),
      /**
       * Sends snapshots until the actor or the channel ends. A channel, not a stream: a stream is a call in flight, for which the closing of the bus
       * waits. Nothing is queued: a follower receives the newest snapshot when its channel has room, so a slow one skips those in between.
       *
       * @param {{ channel: import('@sallyport/core').Channel<{ snapshot: View } | { ended: true }> }} args
       * @param {import('@sallyport/core').CommandContext} ctx
       */
      subscribe({ channel }, ctx) {
        const { actor, changes, followed } = ctx.state(RUNNING)
        const count = (followed.get(ctx.label) ?? 0) + 1
        if (count > MAX_FOLLOWED) throw new CommandError('TOO_MANY', `followed ${MAX_FOLLOWED} times at most`)
        followed.set(ctx.label, count)
        const show = async () => {
          /** @type {{ view?: View }} */
          let last = {}
          const { signal } = channel
          while (!signal.aborted) {
            const view = select(actor.getSnapshot())
            if (!('view' in last && isDeepStrictEqual(view, last.view))) {
              last = { view }
              await channel.send({ snapshot: view })
            } else if (isActive(actor)) await once(changes, 'changed', { signal })
            else return channel.send({ ended: true })
          }
        }
        void show()
          .catch(() => {})
          .finally(() => {
            channel.end()
            const left = (followed.get(ctx.label) ?? 1) - 1
            if (left > 0) followed.set(ctx.label, left)
            else followed.delete(ctx.label)
          })
      },
    },
  })
}
