// Denials of a sandbox after the module has loaded: the error names the option that allows it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, isCommandError, type Bus } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { fixture } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const file = '/sallyport/denied'
const isDeniedByNode = process.allowedNodeEnvironmentFlags.has('--allow-net')

const hasWall = (await findWall()).launcher !== undefined

describe.each(['permission', 'process'] as const)('%s', kind => {
  const hasNetwork = !isDeniedByNode && (kind === 'permission' || !hasWall)
  const noOption = "Call a command that does it, or trust the frontend with all rights of the host: sandbox: 'none'."
  const allow = (option: string) => `Allow it: add ${option} to the frontend's sandbox, { kind: '${kind}', … }.`
  const denials: [action: string, text: string][] = [
    ['read', `The sandbox denied FileSystemRead of ${file}. ${allow(`read: ["${file}"]`)}`],
    [
      'write',
      `The sandbox denied FileSystemWrite of ${file}. ${kind === 'process' ? allow('write: ["/sallyport"]') : noOption}`,
    ],
    ['spawn', noOption],
    ['fetch', hasNetwork ? 'fetch failed' : `fetch failed: The sandbox denied the network. ${allow('net: true')}`],
  ]
  const open = (label: string) =>
    bus.open(label, fixture('permissions/denied.mjs'), {
      sandbox: kind,
      data: { file, url: 'http://127.0.0.1:65535/' },
    })
  let bus: Bus
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, supervision: { restart: 'temporary' } })
    await open('main')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('a rejected call and a fault name the option', () =>
    rows(denials)(async (action, text) => {
      const error: unknown = await bus.call('main', 'call', { action }).catch((error: unknown) => error)
      expect(error).toMatchObject({ message: expect.stringContaining(text) as string })
      expect(isCommandError(error, 'ERR_ACCESS_DENIED')).toBe(action !== 'fetch' || !hasNetwork)
      await open(action)
      const fault = new Promise<Error>(resolve =>
        bus.on('fault', ({ label, error }) => void (label === action && resolve(error))),
      )
      // The fault can come before the answer.
      bus.call(action, 'uncaught', { action }).catch(() => {})
      const { message, stack } = await fault
      expect(message).toContain(text)
      expect(stack).toContain(text)
    }))
})
