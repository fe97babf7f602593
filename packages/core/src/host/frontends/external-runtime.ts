// The runtime of a frontend whose code runs outside of this process, such as a web page. It comes with a link of its own to this
// thread, leaves when that link closes, and can come again.
import { bridge, BusError, closeEndpoint, describeName, openLink } from '@sallyport/protocol/internal'
import type { BusReporter } from '../reporting/events.js'
import { describeEnd } from './runtime-end.js'
import type { ExternalCode, ExternalFrontend, FrontendRuntime, RuntimeEvents } from './types.js'

export interface ExternalRuntime extends FrontendRuntime, Pick<ExternalFrontend, 'join' | 'leave'> {
  /** Drops the link by which core has checked the options. The code can join from now on. */
  release(): void
}

export function createExternalRuntime(label: string, reporter: BusReporter, events: RuntimeEvents): ExternalRuntime {
  // True at first, so that core checks the frontend's options by a link.
  let isUp = true
  let isOver = false
  let current: ExternalCode | undefined
  let isConnected = false
  /** The protocol violation for which the code is disconnected. */
  let fault: Error | undefined

  const leaveCurrent = (): void => {
    const code = current
    if (!code) return
    const end = fault && describeEnd(label, fault)
    current = fault = undefined
    isUp = isConnected = false
    code.link.close()
    events.stopped(end === undefined, end)
  }
  const leave = (code: ExternalCode): void => {
    if (current === code) leaveCurrent()
  }
  const end = (error: Error | undefined): void => {
    if (isOver) return
    isOver = true
    leaveCurrent()
    isUp = false
    events.exited(error)
  }
  return {
    get isUp() {
      return isUp
    },
    get stats() {
      return { state: isConnected ? 'running' : 'stopped', restarts: 0 } as const
    },
    release() {
      isUp = false
      events.stopped(true)
    },
    join(code) {
      if (isOver) return code.link.close()
      leaveCurrent()
      current = code
      isUp = true
      events.restarted()
    },
    leave,
    connect(endpoint) {
      const code = current
      if (!code || isConnected) {
        // The code's own link cannot change to another session: the code has to join again.
        closeEndpoint(endpoint)
        return leaveCurrent()
      }
      isConnected = true
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
    dismiss(error) {
      fault = error
      leaveCurrent()
    },
    fail: end,
    stop: async () => end(undefined),
  }
}
