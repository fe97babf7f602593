import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { exploreLife } from '../../support/explore-life.js'

test(
  'each life gives each link up once, blames nobody for the order of facts, and ends always',
  { timeout: 600_000 },
  () =>
    rows([
      ['restarts', {}],
      ['always restarts', { restart: 'permanent' }],
      ['waits for a reload', { waitsAfterError: true }],
      ['was started ahead too often', { unborn: 3 }],
      ['is a process', { keepsLink: true }],
      ['has a gate', { isIsolated: true }],
      ['is a process with a gate', { isIsolated: true, keepsLink: true }],
      ['is a connection', { restart: 'temporary', isRunning: true }],
      ['is a page', { restart: 'temporary', isPage: true, keepsLink: true }],
    ] as const)((_what, variant) => expect(exploreLife(variant).wrong).toEqual([])),
)
