// What core gives to its network, made of core's own parts.
import { toEventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { CoreOptions } from '../control.js'
import type { EventRouter } from '../events.js'
import type { Hub } from '../network-types.js'
import type { NetworkSessions } from './sessions.js'

export interface HubParts extends Pick<CoreOptions, 'pattern' | 'maxRecordAge' | 'appInfo'> {
  sessions: NetworkSessions
  router: EventRouter
  getLog: () => Logger
  fault: Hub['fault']
}

export function createHub({ pattern, maxRecordAge, appInfo, sessions, router, getLog, fault }: HubParts): Hub {
  return {
    pattern,
    maxRecordAge,
    appInfo,
    get log() {
      return getLog()
    },
    accept: session => sessions.accept(session),
    onEmit: tell => router.onEmit(tell),
    deliver: (target, event, payload) =>
      router.deliver(target === undefined ? undefined : toEventTarget(target), event, payload),
    counts: () => sessions.counts(),
    fault,
  }
}
