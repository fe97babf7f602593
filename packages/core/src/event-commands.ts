// Tauri's event plugin as commands: what frontends listen and emit with. Every frontend has them, unless a capability
// denies them.
import { BusError, METHOD, toEventTarget } from '@sallyport/protocol'
import { permissionsOf, type RunnableCommand } from './commands.js'
import { Call } from './context.js'
import type { EventRouter } from './events.js'

interface EventArguments {
  event?: unknown
  eventId?: unknown
  target?: unknown
  payload?: unknown
}

export function createEventCommands(router: EventRouter): RunnableCommand[] {
  const core = (name: string, method: string, run: (args: EventArguments, call: Call) => unknown): RunnableCommand => ({
    method,
    owner: 'core',
    ...permissionsOf(name, 'core:event'),
    run: run as RunnableCommand['run'],
  })
  return [
    core('listen', METHOD.listen, ({ event, target }, call) =>
      router.listen(event, toEventTarget(target ?? { kind: 'Any' }), Call.homeOf(call)),
    ),
    core('unlisten', METHOD.unlisten, ({ event, eventId }, call) => {
      if (typeof event !== 'string' || !Number.isSafeInteger(eventId)) {
        throw new BusError('InvalidParams', 'unlisten takes { event, eventId }, as listen was given and gave them')
      }
      router.unlisten(event, eventId as number, Call.homeOf(call))
    }),
    core('emit', METHOD.emit, ({ event, payload }) => router.emit(event, payload ?? null)),
    core('emit_to', METHOD.emitTo, ({ target, event, payload }) =>
      router.emitTo(toEventTarget(target), event, payload ?? null),
    ),
  ]
}
