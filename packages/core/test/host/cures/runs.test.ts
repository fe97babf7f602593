// Every cure of a run, and of a value that a codec refuses, is tried, as those of options are in options.test.ts.
import { createBus, type Bus } from '@sallyport/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { core, type Row, evaluate, tryCure, withBus } from '../../support/cures.js'

const MAX_SCRIPT_MS = 5000

describe('a cure of a run', () => {
  let bus: Bus

  beforeAll(async () => {
    bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(7) } })
  })
  afterAll(() => bus.close({ timeout: 0 }))

  const runs: Row[] = [
    [
      'a limit of time that the sandbox has not',
      () => bus.run('return 1', { sandbox: 'permission', limits: { time: 1 } }),
      /Use "(quickjs)".*, or set (timeout)/,
      async (sandbox, option) => {
        await bus.run('return 1', { sandbox: sandbox as 'quickjs', limits: { time: MAX_SCRIPT_MS } })
        await bus.run('return 1', { sandbox: 'permission', [option]: 60_000 })
      },
    ],
    [
      'a sandbox that trusts code as text',
      () => bus.run('return 1', { sandbox: 'none' as never }),
      /Use "(permission)"/,
      sandbox => bus.run('return 1', { sandbox: sandbox as 'permission' }),
    ],
    [
      'a script that computes too long',
      () => bus.run('for (;;);', { limits: { time: 1 } }),
      /raise `time` of its sandbox or `limits\.(time)` of its run, up to (\d+)/,
      (limit, max) => bus.run('for (let i = 0; i < 1e4; i++); return 1', { limits: { [limit]: Number(max) } }),
    ],
    [
      'a script that needs more memory',
      () => bus.run('return new Array(5e5).fill("a").length', { limits: { memory: 1 } }),
      /Raise `(memory)` of its sandbox or `limits\.(memory)` of its run/,
      async (ofSandbox, limit) => {
        const code = 'return new Array(5e5).fill("a").length'
        await bus.run(code, { limits: { [limit]: 64 } })
        await bus.run(code, { sandbox: { kind: 'quickjs', [ofSandbox]: 64 } as never })
      },
    ],
    [
      'memory with a unit',
      () => bus.run('return 1', { limits: { memory: '128mb' as never } }),
      /must be a (number) of MiB/,
      () => bus.run('return 1', { limits: { memory: 128 } }),
    ],
    [
      'an interrupt of a bus without a key',
      () => withBus({}, other => other.run('return invoke("ask")', { allow: ['ask'] })),
      /Pass createBus\((\{ runs: \{ key \} \})\) (\d+) secret bytes/,
      (code, bytes) =>
        withBus(evaluate(code, { key: new Uint8Array(Number(bytes)).fill(1) }) as object, other =>
          expect(other.run('return invoke("ask")', { allow: ['ask'] })).rejects.toMatchObject({
            reason: 'Interrupted',
          }),
        ),
    ],
    [
      'an interrupt outside of a script',
      () => bus.run('return invoke("ask")', { allow: ['ask'], sandbox: 'permission' }),
      /Call it from code of bus\.run in (that sandbox)/,
      () =>
        expect(bus.run('return invoke("ask")', { allow: ['ask'] })).rejects.toMatchObject({ reason: 'Interrupted' }),
    ],
    [
      'a misspelt function of the host',
      () => bus.run('return lib.summ()', { functions: { lib: { sum: () => 3 } } }),
      /did you mean "([\w.]+)"/,
      name => bus.run(`return lib.${name}()`, { functions: { lib: { sum: () => 3 } } }),
    ],
  ]

  test('lets it succeed', () => rows(runs)(tryCure))

  /** By the cure, the expression that it proposes for `it`. */
  const CURES: Readonly<Record<string, string>> = {
    'Object.fromEntries(map)': 'Object.fromEntries(it)',
    'an array': '[...it]',
    'a string': 'String(it)',
    'null or a string': 'null',
    null: 'null',
    'its description': 'it.description',
    'its source': 'it.source',
    'its message': 'it.message',
    'its toString()': 'it.toString()',
    'a Uint8Array of its bytes': 'new Uint8Array(it.buffer)',
    'what it returns': 'it()',
  }
  const values = ['new Map()', 'new Set()', '5n', 'NaN', 'new Date(NaN)', 'Symbol("s")', '/a/', 'Error("e")'].concat(
    'new Float64Array(1)',
  )
  const run = (code: string) => bus.run(code, { allow: ['echo'] })
  const serialized = [...values, 'Object(1n)', '() => 1'].map((value): Row => [
    `the result ${value}`,
    () => run(`return { value: ${value} }`),
    /JSON cannot represent: return ([^,]+)/,
    cure => run(`const it = ${value}; return { value: ${CURES[cure]} }`),
  ])
  const passed = values.map((value): Row => [
    `the argument ${value}`,
    () => run(`return invoke('echo', { value: ${value} })`),
    /JSON cannot represent: pass ([^,]+)/,
    cure => run(`const it = ${value}; return invoke('echo', { value: ${CURES[cure]} })`),
  ])
  const awaited: Row[] = [
    [
      'a promise in a result',
      () => run('return { value: Promise.resolve(1) }'),
      /JSON cannot represent: (await) it first/,
      code => run(`return { value: ${code} Promise.resolve(1) }`),
    ],
  ]
  const inMessagePack = [1n, NaN, new Date(NaN)].map((value, index): Row => [
    `${String(value)} in JSON`,
    async () => (await bus.connect(`json-${index}`)).invoke('echo', { value }),
    /or choose (codec): '(msgpack)'/,
    (option, codec) =>
      withBus({ [option]: codec }, async other => (await other.connect('host-client')).invoke('echo', { value })),
  ])

  test('of a value that JSON cannot represent lets it pass', () =>
    rows([...serialized, ...passed, ...awaited, ...inMessagePack])(tryCure))
})
