import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createHook, type HookMessage, mentionsLegacyMessages, type Verdict } from './hook.js'

type Shown = Record<string, any>

const send = (
  hook: (payload: Shown) => unknown,
  cmd: string,
  payload?: unknown,
  options?: HookMessage['options'],
): Verdict =>
  createHook(shown => hook(shown as Shown), { legacyMessages: true })(
    { cmd, callback: 1, error: 2, payload, options },
    verdict => verdict,
  ) as Verdict

/** Returns the message that passes as `[cmd, payload]`, or the reason of the rejection. */
function sent(...args: Parameters<typeof send>): unknown {
  const verdict = send(...args)
  return verdict.kind === 'pass' ? [verdict.message.cmd, verdict.message.payload] : verdict.why
}

const see = (...message: [cmd: string, payload?: unknown]): unknown => {
  let seen: unknown
  send(payload => (seen = structuredClone(payload)), ...message)
  return seen
}

describe('a hook of the older format sees', () => {
  test('a command', () => {
    expect(see('readFile', { path: '/a', n: 1 })).toEqual({
      cmd: 'invoke',
      callback: 1,
      error: 2,
      message: { cmd: 'readFile', args: { path: '/a', n: 1 }, path: '/a', n: 1 },
      options: undefined,
    })
    expect(see('bare')).toMatchObject({ cmd: 'invoke', message: { cmd: 'bare' } })
    expect(see('bytes', new Uint8Array([1]))).toMatchObject({ message: { cmd: 'bytes', args: new Uint8Array([1]) } })
  })

  test('the command and its args when arguments have the same names', () => {
    const seen = see('deleteItem', { cmd: 'greet', args: { harmless: true }, id: 1 })
    expect(seen).toMatchObject({
      message: { cmd: 'deleteItem', args: { cmd: 'greet', args: { harmless: true }, id: 1 }, id: 1 },
    })
  })

  test('events', () => {
    expect(see('plugin:event|emit', { event: 'e', payload: [1] })).toEqual({
      cmd: 'emit',
      callback: 1,
      error: 2,
      event: 'e',
      payload: [1],
      options: undefined,
    })
    const target = { kind: 'Any' }
    expect(see('plugin:event|emit_to', { target, event: 'e' })).toMatchObject({ cmd: 'emit', event: 'e', target })
    expect(see('plugin:event|listen', { event: 'e' })).toMatchObject({ cmd: 'invoke', message: { event: 'e' } })
    // A malformed event is shown as an invoke, not as an event without a name.
    expect(see('plugin:event|emit', ['e'])).toMatchObject({ cmd: 'invoke', message: { cmd: 'plugin:event|emit' } })
    expect(see('plugin:event|emit', { event: 1 })).toMatchObject({ cmd: 'invoke' })
  })
})

describe('a command that a hook returns', () => {
  const args = (): Shown => ({ path: '/a', mode: 'r' })

  test('has the same payload object when it is unchanged', () => {
    for (const payload of [args(), {}, undefined, new Uint8Array(2), { cmd: 'x', args: 1 }, { n: NaN }]) {
      const verdict = send(shown => shown, 'open', payload)
      expect(verdict.kind === 'pass' && verdict.message.payload).toBe(payload)
      const copied = send(({ message, ...rest }) => ({ ...rest, message: { ...message } }), 'open', payload)
      expect(copied.kind === 'pass' && copied.message.payload).toBe(payload)
    }
  })

  test('has the name that the hook has set', () => {
    expect(sent(shown => ((shown['message'].cmd = 'close'), shown), 'open', args())).toEqual(['close', args()])
    expect(sent(() => ({ cmd: 'invoke', message: { cmd: 'close', args: {} } }), 'open', args())).toEqual(['close', {}])
    expect(sent(shown => ((shown['message'].cmd = 1), shown), 'open', args())).toBe('malformed')
  })

  test('has changed arguments', () =>
    rows<[string, (message: Shown) => Shown, unknown]>([
      ['a member', m => ((m['path'] = '/b'), m), { path: '/b', mode: 'r' }],
      ['a member of a copy', m => ({ ...m, path: '/b' }), { path: '/b', mode: 'r' }],
      ['a new member', m => ((m['token'] = 't'), m), { ...args(), token: 't' }],
      ['a removed member', m => (delete m['mode'], m), { path: '/a' }],
      ['a member removed from a copy', ({ mode: _mode, ...m }) => m, { path: '/a' }],
      ['args in place', m => ((m['args'].path = '/b'), m), { path: '/b', mode: 'r' }],
      ['new args', m => ({ ...m, args: { path: '/b' } }), { path: '/b' }],
      ['new args alone', m => ({ cmd: m['cmd'], args: { path: '/b' } }), { path: '/b' }],
      ['new args and a member', m => ({ ...m, args: { path: '/b' }, mode: 'w' }), { path: '/b', mode: 'w' }],
      ['members alone', m => ({ cmd: m['cmd'], path: '/b' }), { path: '/b' }],
      ['no members, no args', m => ({ cmd: m['cmd'] }), {}],
      ['args that are bytes', m => ({ ...m, args: new Uint8Array(1) }), new Uint8Array(1)],
    ])((_, change, expected) =>
      expect(sent(shown => ({ ...shown, message: change(shown['message']) }), 'open', args())).toEqual([
        'open',
        expected,
      ]),
    ))

  test('is malformed without a message that is valid', () =>
    rows<[string, (message: Shown) => unknown]>([
      ['no message', () => undefined],
      ['an invalid message', () => 'open'],
      ['args that are a string', m => ({ ...m, args: 'x' })],
      ['changed members with args that are not named', m => ({ ...m, args: [1], path: '/b' })],
      ['the same args without members, which is ambiguous', m => ({ cmd: m['cmd'], args: m['args'] })],
    ])((_, change) =>
      expect(sent(shown => ({ ...shown, message: change(shown['message']) }), 'open', args())).toBe('malformed'),
    ))

  test('can have arguments that are not named', () => {
    const add = (shown: Shown): Shown => ((shown['message'].token = 't'), shown)
    expect(sent(add, 'open')).toEqual(['open', { token: 't' }])
    expect(sent(add, 'open', new Uint8Array(1))).toBe('malformed')
    expect(sent(shown => (delete shown['message'].args, shown), 'open', new Uint8Array(1))).toBe('malformed')
  })

  test('has no arguments when the only one was removed', () => {
    expect(
      sent(({ message: { secret: _secret, ...message }, ...rest }) => ({ ...rest, message }), 'open', { secret: 1 }),
    ).toBe('malformed')
    expect(sent(shown => (delete shown['message'].secret, shown), 'open', { secret: 1 })).toEqual(['open', {}])
  })

  test('has changed arguments named cmd and args', () => {
    const runArgs = (): Shown => ({ cmd: 'ls', args: ['-l'], cwd: '/' })
    expect(sent(shown => ((shown['message'].cwd = '/tmp'), shown), 'run', runArgs())).toEqual([
      'run',
      { cmd: 'ls', args: ['-l'], cwd: '/tmp' },
    ])
  })

  test('can be rejected as another kind of message or null, and can have options', () => {
    expect(sent(shown => ({ ...shown, cmd: 'emit', event: 'e' }), 'open', args())).toBe('malformed')
    expect(sent(shown => ({ ...shown, cmd: 'open' }), 'open', args())).toBe('malformed')
    expect(sent(() => null, 'open', args())).toBe('null')
    const headers = { a: 'b' }
    expect(send(shown => shown, 'open', {}, { headers })).toMatchObject({ message: { options: { headers } } })
    expect(send(({ options: _options, ...rest }) => rest, 'open', {}, { headers })).toMatchObject({
      message: { options: undefined },
    })
  })
})

describe('an event that a hook returns', () => {
  const event = (): Shown => ({ event: 'e', payload: { n: 1 } })
  const target = { kind: 'Window', label: 'a' }

  test('has the same params object when it is unchanged', () => {
    const payload = event()
    const verdict = send(shown => ({ ...shown }), 'plugin:event|emit', payload)
    expect(verdict.kind === 'pass' && verdict.message.payload).toBe(payload)
  })

  test('has a changed name, payload or target', () => {
    expect(sent(shown => ({ ...shown, event: 'f' }), 'plugin:event|emit', event())).toEqual([
      'plugin:event|emit',
      { event: 'f', payload: { n: 1 } },
    ])
    expect(sent(shown => ((shown['payload'].n = 2), shown), 'plugin:event|emit', event())).toEqual([
      'plugin:event|emit',
      { event: 'e', payload: { n: 2 } },
    ])
    const rebuilt = sent(() => ({ cmd: 'emit', event: 'f', payload: 1 }), 'plugin:event|emit_to', {
      ...event(),
      target,
    })
    expect(rebuilt).toEqual(['plugin:event|emit_to', { event: 'f', payload: 1, target }])
    expect(
      Object.keys((sent(shown => ({ ...shown, event: 'f' }), 'plugin:event|emit', event()) as Shown[])[1]!),
    ).toEqual(['event', 'payload'])
  })

  test('is rejected without a name, with an added target, or as another kind of message', () => {
    expect(sent(shown => ({ ...shown, event: undefined }), 'plugin:event|emit', event())).toBe('malformed')
    expect(sent(shown => ({ ...shown, target }), 'plugin:event|emit', event())).toBe('malformed')
    expect(sent(() => ({ cmd: 'invoke', message: { cmd: 'x' } }), 'plugin:event|emit', event())).toBe('malformed')
  })
})

test('mentionsLegacyMessages finds reads of a message, and nothing else', () =>
  rows([
    ['const name = payload.message?.cmd', true],
    ['payload?.message', true],
    [`payload['message']`, true],
    ['const { __tauriModule, message } = payload', true],
    ['const { message: { cmd } } = payload', true],
    ['window.__TAURI_ISOLATION_HOOK__ = ({ cmd, message }) => null', true],
    ['window.__TAURI_ISOLATION_HOOK__ = async function hook({ message }) {}', true],
    ['__TAURI_ISOLATION_HOOK__=async({message})=>null', true],
    ['__TAURI_ISOLATION_HOOK__  =  async  (  {  message }) => null', true],
    ['__TAURI_ISOLATION_HOOK__ = function({ message }) {}', true],
    ['__TAURI_ISOLATION_HOOK__ = function  hook  ({ message }) {}', true],
    ['function __TAURI_ISOLATION_HOOK__({ message }) {}', true],
    [`if (p.cmd === 'invoke') return p`, true],
    [`if ((p.cmd)==='invoke') return p`, true],
    ['catch (error) { console.log(error.message) }', false],
    ['const { cmd, payload: args } = payload; args.messages', false],
    ['window.__TAURI_ISOLATION_HOOK__ = payload => payload', false],
  ])((source, expected) => expect(mentionsLegacyMessages(source)).toBe(expected)))
