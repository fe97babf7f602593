// The runtime of a frontend whose code runs outside of this process, such as a web page. It comes with a link of its own to this
// thread, leaves when that link closes, and can come again.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { bridge, openLink } from '@sallyport/protocol/internal/link'
import type { WorkerStats } from '../supervision/policy.js'
import type { BusReporter } from '../reporting/events.js'
import type { Obituary } from '../life/judge.js'
import type { FrontendTerms } from '../life/spec.js'
import { createPlainLife } from './connection-runtime.js'
import { describeEnd } from './runtime-end.js'
import type { ExternalCode, ExternalFrontend, FrontendRuntime, RuntimeEvents } from './types.js'

export interface ExternalRuntime extends FrontendRuntime, Pick<ExternalFrontend, 'join' | 'leave'> {
  /** Drops the link by which core has checked the options. The code can join from now on. */
  release(): void
}

export function createExternalRuntime(
  label: string,
  reporter: BusReporter,
  events: RuntimeEvents,
  terms: FrontendTerms,
): ExternalRuntime {
  /** Absent while no page has the label, and while core checks the frontend's options by a link. */
  let current: ExternalCode | undefined
  const left = (by: Obituary['by']): void => {
    current?.link.close()
    current = undefined
    life.send({ type: 'OBITUARY', obituary: { ranCode: true, by } })
  }
  const leave = (code: ExternalCode): void => {
    if (current === code) left('itself')
  }
  const life = createPlainLife(label, terms, events, {
    isPage: true,
    // The code's own link cannot change to another session: the code has to join again.
    keepsLink: true,
    effects: {
      spawn: ({ run }) => run > 1 && events.restarted(),
      askToStop: () => left('order'),
      kill: () => current?.link.close(),
      leave: ({ error }) => events.stopped(error && describeEnd(label, error), 'wait'),
    },
  })
  return {
    life,
    get stats(): WorkerStats {
      const { code, link } = life.value
      const isOver = code === 'stopped' || code === 'failed'
      return { state: isOver ? 'stopped' : current && link === 'active' ? 'running' : 'disconnected', restarts: 0 }
    },
    release: () => left('itself'),
    join(code) {
      if (life.value.code === 'stopped' || life.value.code === 'failed') return code.link.close()
      if (current) left('itself')
      current = code
      life.send({ type: 'JOIN' })
    },
    leave,
    connect(endpoint) {
      const code = current!
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
  }
}
