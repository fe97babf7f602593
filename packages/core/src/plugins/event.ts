// Tauri's event plugin: the commands with which frontends listen and emit. Every frontend has them unless a capability
// denies them.
import {
  checkEventName,
  describeThrown,
  EVENT_NAME_RULE,
  type EventTarget,
  METHOD,
  toEventTarget,
} from '@sallyport/protocol/internal'
import { checkNotReserved } from '../events/frontend-events.js'
import type { EventRouter } from '../events/router.js'
import { getCount, invalidArgument, type NamedArguments, getString, whyMissing } from '../rpc/arguments.js'
import { Call } from '../rpc/call-table.js'
import type { RunnableCommand } from '../rpc/registry.js'
import { coreCommand } from './core-command.js'

export function createEventCommands(router: EventRouter): RunnableCommand[] {
  return [
    coreCommand('event', 'listen', (args, call) => {
      const target = getTarget(METHOD.listen, args, { kind: 'Any' })
      try {
        return router.listen(args['event'], target, Call.getSubscriber(call))
      } catch (error) {
        throw nameFault(METHOD.listen, args, error)
      }
    }),
    coreCommand('event', 'unlisten', (args, call) => {
      const event = getString(METHOD.unlisten, args, 'event')
      router.unlisten(event, getCount(METHOD.unlisten, args, 'eventId'), Call.getSubscriber(call))
    }),
    coreCommand('event', 'emit', (args, call) => {
      checkEmitter(args, call)
      try {
        router.emit(args['event'], args['payload'] ?? null)
      } catch (error) {
        throw nameFault(METHOD.emit, args, error)
      }
    }),
    coreCommand('event', 'emit_to', (args, call) => {
      checkEmitter(args, call)
      const target = getTarget(METHOD.emitTo, args)
      try {
        router.emitTo(target, args['event'], args['payload'] ?? null)
      } catch (error) {
        throw nameFault(METHOD.emitTo, args, error)
      }
    }),
  ]
}

function checkEmitter({ event }: NamedArguments, call: Call): void {
  const subscriber = Call.getSubscriber(call)
  subscriber.emitted?.(event)
  if (subscriber.label !== undefined) checkNotReserved(event)
}

function getTarget(method: string, args: NamedArguments, usual?: EventTarget): EventTarget {
  const target = args['target'] ?? usual
  if (target === undefined) throw invalidArgument(method, 'target', whyMissing(method, 'target', args))
  try {
    return toEventTarget(target)
  } catch (error) {
    throw invalidArgument(method, 'target', describeThrown(error))
  }
}

/** Replaces an error about an event's name by Tauri's text; returns other errors unchanged. */
function nameFault(method: string, args: NamedArguments, error: unknown): unknown {
  const event = getString(method, args, 'event')
  try {
    checkEventName(event)
    return error
  } catch {
    return invalidArgument(method, 'event', `${EVENT_NAME_RULE}.`)
  }
}
