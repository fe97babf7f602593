import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { expect, it } from 'vitest'
import type { BusReporter } from '../reporting/events.js'
import { createExternalRuntime } from './external-runtime.js'

const createCode = (): { link: Link; connected: () => void } => {
  return { link: openLink(createLinkEndpoints('local')[0], false), connected: () => {} }
}

it('does not blame code for a violation that is reported after other code has left', () => {
  const ends: unknown[] = []
  const runtime = createExternalRuntime('page', {} as BusReporter, {
    restarted: () => {},
    stopped: (isReload, end) => void ends.push([isReload, end]),
    exited: () => {},
    unsent: () => {},
    unhandled: () => {},
    suspended: () => {},
  })
  runtime.release()
  const [first, second] = [createCode(), createCode()]
  runtime.join(first)
  runtime.leave(first)
  runtime.dismiss(new Error('late'))
  runtime.join(second)
  runtime.leave(second)
  expect(ends).toEqual([
    [true, undefined],
    [true, undefined],
    [true, undefined],
  ])
})
