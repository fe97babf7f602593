import { expect, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { resolveSupervision } from '../policy.js'
import { getPollMode } from './frontend.js'
import { getGateSupervision } from './gate-handle.js'

it('polls as the pattern and the number of cores allow', () =>
  rows([
    ['brownfield', ['never', 'adaptive', 'adaptive']],
    ['isolation', ['never', 'never', 'adaptive']],
  ] as const)((pattern, modes) => expect([1, 2, 3].map(cores => getPollMode(pattern, cores))).toEqual(modes)))

it('a gate has the supervision of its frontend, but is permanent unless that is temporary', () =>
  rows([
    ['permanent', 'permanent'],
    ['transient', 'permanent'],
    ['temporary', 'temporary'],
  ] as const)((restart, expected) => {
    const frontend = resolveSupervision('transient', { restart, intensity: 7, period: 70_000, heartbeat: 70_000 })
    expect(getGateSupervision(frontend, 1)).toEqual({ ...frontend, restart: expected })
  }))
