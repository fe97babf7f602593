// Tauri's event plugin as commands: what frontends listen and emit with. Every frontend has them, unless a capability
// denies them.
import { METHOD, checkEventName, describeThrown, toEventTarget, type EventTarget } from '@sallyport/protocol'
import type { RunnableCommand } from './commands.js'
import { Call } from './context.js'
import type { EventRouter } from './events.js'
import { checkNotOwn } from './frontend-events.js'
import { countOf, invalidArgument, stringOf, whyMissing, type NamedArguments } from './invalid-args.js'
import { coreCommand } from './plugins/core-command.js'

export function createEventCommands(router: EventRouter): RunnableCommand[] {
  return [
    coreCommand('event', 'listen', (args, call) => {
      const target = targetOf(METHOD.listen, args, { kind: 'Any' })
      return naming(METHOD.listen, args, () => router.listen(args['event'], target, Call.homeOf(call)))
    }),
    coreCommand('event', 'unlisten', (args, call) => {
      const event = stringOf(METHOD.unlisten, args, 'event')
      router.unlisten(event, countOf(METHOD.unlisten, args, 'eventId'), Call.homeOf(call))
    }),
    coreCommand('event', 'emit', (args, call) => {
      checkEmitter(args, call)
      naming(METHOD.emit, args, () => router.emit(args['event'], args['payload'] ?? null))
    }),
    coreCommand('event', 'emit_to', (args, call) => {
      checkEmitter(args, call)
      const target = targetOf(METHOD.emitTo, args)
      naming(METHOD.emitTo, args, () => router.emitTo(target, args['event'], args['payload'] ?? null))
    }),
  ]
}

function checkEmitter({ event }: NamedArguments, call: Call): void {
  if (Call.homeOf(call).label !== undefined) checkNotOwn(event)
}

function targetOf(method: string, args: NamedArguments, usual?: EventTarget): EventTarget {
  const target = args['target'] ?? usual
  if (target === undefined) throw invalidArgument(method, 'target', whyMissing(method, 'target', args))
  try {
    return toEventTarget(target)
  } catch (error) {
    throw invalidArgument(method, 'target', describeThrown(error))
  }
}

/** Where it fails for the event's name, it fails with Tauri's text. */
function naming<T>(method: string, args: NamedArguments, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const event = stringOf(method, args, 'event')
    try {
      checkEventName(event)
    } catch {
      const rule = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`.'
      throw invalidArgument(method, 'event', rule)
    }
    throw error
  }
}
