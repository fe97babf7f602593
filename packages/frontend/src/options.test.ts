// What a call may be given beside its arguments: anything else is refused by name, before anything is sent.
import { describe, expect, it } from 'vitest'
import { checkCallOptions, checkEmitOptions, type EmitOptions, type InvokeOptions } from './options.js'

describe('call options', () => {
  it.each([{}, { timeout: 0 }, { timeout: 0x7fff_ffff }, { signal: new AbortController().signal }])(
    'take %j',
    options => {
      expect(() => checkCallOptions('greet', options, {})).not.toThrow()
    },
  )

  it.each([
    [{ timeout: -1 }, '`timeout` of command "greet" must be milliseconds from 0 to 2147483647'],
    [{ timeout: Infinity }, '`timeout` of command "greet"'],
    [{ timeout: Number.NaN }, '`timeout` of command "greet"'],
    [{ timeout: 2 ** 31 }, '`timeout` of command "greet"'],
    [{ timeout: '5' }, '`timeout` of command "greet"'],
    [{ timeout: null }, '`timeout` of command "greet"'],
    [{ signal: {} }, '`signal` of command "greet" must be an AbortSignal'],
    [{ signal: null }, '`signal` of command "greet" must be an AbortSignal'],
    [{ signal: new AbortController() }, '`signal` of command "greet" must be an AbortSignal'],
    [null, 'The options of command "greet" must be an object'],
    [5, 'The options of command "greet" must be an object'],
  ])('refuse %j', (options, text) => {
    const refused = expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining(text) })
    expect(() => checkCallOptions('greet', options as InvokeOptions, {})).toThrow(refused)
  })

  it('that are aborted already cancel, with the reason as the cause', () => {
    const reason = new Error('mine')
    const cancelled = expect.objectContaining({ reason: 'Cancelled', cause: reason })
    expect(() => checkCallOptions('greet', { signal: AbortSignal.abort(reason) }, {})).toThrow(cancelled)
  })

  const buffer = new ArrayBuffer(8)
  it.each([
    [{ transfer: [] }, { a: 1 }],
    [{ transfer: [buffer] }, buffer],
    [{ transfer: [buffer] }, new Uint8Array(buffer, 2)],
    [{ transfer: [buffer] }, { a: 1, data: new Uint8Array(buffer) }],
  ])('give away what is carried: %j', (options, params) => {
    expect(() => checkCallOptions('greet', options, params)).not.toThrow()
  })

  it.each([
    ['another buffer', [new ArrayBuffer(8)], 'neither the whole payload nor'],
    ['one that is deeper down', [buffer], 'neither the whole payload nor'],
    ['a Uint8Array', [new Uint8Array(buffer)], 'of a Uint8Array its `buffer`'],
    ['shared memory', [new SharedArrayBuffer(8)], '`transfer` takes ArrayBuffers'],
    ['no list', buffer, 'must be a list'],
  ])('do not give away %s', (_name, transfer, text) => {
    const params = { deep: { data: new Uint8Array(buffer) } }
    const refused = expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining(text) })
    expect(() => checkCallOptions('greet', { transfer } as InvokeOptions, params)).toThrow(refused)
    expect(() => checkEmitOptions('emit', { transfer } as EmitOptions, params)).toThrow(refused)
  })

  it('of an event are `transfer` alone', () => {
    expect(() => checkEmitOptions('plugin:event|emit', { timeout: 5 } as EmitOptions, 1)).toThrow('no option "timeout"')
    expect(() => checkEmitOptions('plugin:event|emit', null as never, 1)).toThrow(
      expect.objectContaining({ reason: 'InvalidParams' }),
    )
  })
})
