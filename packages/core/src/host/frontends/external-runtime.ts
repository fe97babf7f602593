// The runtime of a frontend whose code runs outside of this process, such as a web page. It comes with a link of its own to this
// thread, leaves when that link closes, and can come again.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { bridge, closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import type { BusReporter } from '../reporting/events.js'
import { LinkActor } from './link-lifecycle.js'
import { describeEnd } from './runtime-end.js'
import type { ExternalCode, ExternalFrontend, FrontendRuntime, RuntimeEvents } from './types.js'

export interface ExternalRuntime extends FrontendRuntime, Pick<ExternalFrontend, 'join' | 'leave'> {
  /** Drops the link by which core has checked the options. The code can join from now on. */
  release(): void
}

export function createExternalRuntime(label: string, reporter: BusReporter, events: RuntimeEvents): ExternalRuntime {
  /** The code, or `checking` while core checks the frontend's options by a link. */
  let current: { readonly code: ExternalCode; readonly link: LinkActor } | 'checking' | undefined = 'checking'
  let isOver = false

  /** @param fault - the protocol violation for which the code is disconnected */
  const leave = (code: ExternalCode | undefined, fault?: Error): void => {
    if (typeof current !== 'object' || (code && current.code !== code)) return
    const { link } = current
    current = undefined
    link.send('dropped')
    const end = fault && describeEnd(label, fault)
    events.stopped(end === undefined, end, false)
  }
  const end = (error: Error | undefined): void => {
    if (isOver) return
    isOver = true
    leave(undefined)
    current = undefined
    events.exited(error)
  }
  return {
    get isUp() {
      return current !== undefined
    },
    get stats() {
      const isConnected = typeof current === 'object' && current.link.state === 'active'
      return { state: isConnected ? 'running' : isOver ? 'stopped' : 'disconnected', restarts: 0 } as const
    },
    release() {
      current = undefined
      events.stopped(true, undefined, false)
    },
    join(code) {
      if (isOver) return code.link.close()
      leave(undefined)
      const close = (): void => code.link.close()
      current = { code, link: new LinkActor({ discard: close, linger: close }) }
      events.restarted()
    },
    leave,
    connect(endpoint) {
      if (typeof current !== 'object' || current.link.state !== 'pending') {
        // The code's own link cannot change to another session: the code has to join again.
        closeEndpoint(endpoint)
        return leave(undefined)
      }
      const { code, link } = current
      link.send('attached')
      link.send('activated')
      code.connected()
      void bridge(openLink(endpoint, true), code.link).then(({ far }) => {
        if (far) {
          // Without a cause: a logger would append its text, which is in this one.
          const text = `The link of frontend ${describeName(label)} failed: ${far.message}`
          reporter.reportFault(label, new BusError(far.reason, text))
        }
        leave(code)
      })
    },
    ask: setImmediate,
    dismiss: error => leave(undefined, error),
    fail: end,
    stop: async () => end(undefined),
  }
}
