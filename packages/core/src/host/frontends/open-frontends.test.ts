// Which frontend is to blame for a failure of core.
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createHostLog } from '../reporting/log.js'
import { BusReporter } from '../reporting/events.js'
import type { FrontendHandle } from './frontend-handle.js'
import { OpenFrontends } from './open-frontends.js'

test('a failure of core, whose thread takes long to exit, is charged to a frontend that ended just before', () =>
  rows([
    ['just after a frontend has ended', 1000, true],
    ['later', 1001, false],
  ])((_when, at, isCharged) => {
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
  }))

test('no frontend is to blame if one ended just before core failed, and another one before the thread of core exited', () => {
  const frontends = new OpenFrontends(new BusReporter(createHostLog(false)))
  const fail = vi.fn<(error: Error) => void>()
  const now = vi.spyOn(performance, 'now')
  try {
    for (const [name, at] of [
      ['main', 1000],
      ['other', 1400],
    ] as const) {
      frontends.byName.set(name, { fail } as unknown as FrontendHandle)
      now.mockReturnValue(at)
      frontends.suspect(name, at + 250)
    }
    expect(frontends.charge(new Error('broken'), 1100)).toBe(false)
    now.mockReturnValue(60_000)
    frontends.suspect('main', 60_250)
    expect(frontends.charge(new Error('broken'), 60_100)).toBe(true)
  } finally {
    vi.restoreAllMocks()
  }
  expect(fail).toHaveBeenCalledOnce()
})
