import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { writeProject } from '../../core/test/support/project.js'
import { findPlace } from './doctor.js'

const RESTRICTION = 'proc/sys/kernel/apparmor_restrict_unprivileged_userns'
const kubernetes = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }

let empty: string
beforeEach(() => void (empty = mkdtempSync(join(tmpdir(), 'place-'))))
afterEach(() => rmSync(empty, { recursive: true }))

test('is found by its files or variables', () =>
  rows([
    ['Kubernetes', { '.dockerenv': '' }, kubernetes],
    ['Podman', { 'run/.containerenv': '' }, {}],
    ['Docker', { '.dockerenv': '' }, {}],
    ['Docker', { '.dockerenv': '', [RESTRICTION]: '1\n' }, {}],
    ['Ubuntu', { [RESTRICTION]: '1\n' }, {}],
  ])((name, files, env) => expect(findPlace(writeProject(files), env)?.name).toBe(name)))

test('is none of them where namespaces are not restricted', () => {
  expect(findPlace(empty, {})).toBeUndefined()
  expect(findPlace(writeProject({ [RESTRICTION]: '0\n' }), {})).toBeUndefined()
})

test('the command has valid JSON for a patch of Kubernetes', () => {
  const patch = /--patch '(.*)'$/.exec(findPlace(empty, kubernetes)!.command)?.[1]
  expect(JSON.parse(patch!)).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'NAME' }] } } } })
})
