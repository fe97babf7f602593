// Which frontend is to blame for a failure of core.
import { expect, test, vi } from 'vitest'
import { createHostLog } from '../reporting/log.js'
import { BusReporter } from '../reporting/events.js'
import type { FrontendHandle } from './frontend-handle.js'
import { OpenFrontends } from './open-frontends.js'

test.each([
  ['just after a frontend has ended', 1000, true],
  ['later', 1001, false],
])('a failure of core %s, whose thread takes long to exit', (_when, at, isCharged) => {
  const frontends = new OpenFrontends(new BusReporter(createHostLog(false)))
  const fail = vi.fn<(error: Error) => void>()
  frontends.byName.set('main', { fail } as unknown as FrontendHandle)
  frontends.suspect('main', 1000)
  // Now, the thread has exited.
  vi.spyOn(performance, 'now').mockReturnValue(5000)
  try {
    expect(frontends.charge(new Error('broken'), at)).toBe(isCharged)
  } finally {
    vi.restoreAllMocks()
  }
  expect(fail).toHaveBeenCalledTimes(isCharged ? 1 : 0)
})
