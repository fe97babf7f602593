// Long arrays of bytes, which guests of plugins send (`Array.from(bytes)`), arrive as bytes. Everything else stays as it is.
import { afterEach, describe, expect, test } from 'vitest'
import { type Bus, type CodecName, createBus, defineCore } from '../../src/index.js'
import { choose } from '../../../../scripts/testing.js'
import { patterns } from './environments.js'

let bus: Bus
afterEach(() => bus.close({ timeout: 0 }))

const describeValue = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { bytes: value.length, last: value.at(-1) }
  return Array.isArray(value) ? { array: value.length } : value
}

const core = defineCore({
  commands: {
    take: args => {
      const { data, clientConfig } = args as { data?: unknown; clientConfig?: Record<string, unknown> }
      const inner = clientConfig && { ...clientConfig, data: describeValue(clientConfig['data']) }
      return { data: describeValue(data), inner }
    },
  },
})

const module = {
  source: `
    import '${import.meta.resolve('@sallyport/frontend/tauri')}'
    import { expose } from '${import.meta.resolve('@sallyport/frontend')}'
    import { invoke } from '${import.meta.resolve('@tauri-apps/api/core')}'
    const array = length => Array.from({ length }, (_, i) => i % 251)
    const replaceLast = (list, value) => (list[list.length - 1] = value, list)
    const toArguments = {
      whole: length => ({ data: array(length) }),
      nested: length => ({ clientConfig: { method: 'POST', headers: [['a', 'b']], data: array(length) } }),
      mixed: length => ({ data: replaceLast(array(length), 256) }),
      fraction: length => ({ clientConfig: { data: replaceLast(array(length), 1.5) } }),
    }
    expose({ take: ({ form, length }) => invoke('take', toArguments[form](length)) })`,
  directory: new URL('.', import.meta.url),
}

const codecs: CodecName[] = ['json', 'msgpack']
const cases = patterns.flatMap(([pattern, options]) => codecs.map(codec => [pattern, codec, options] as const))

describe.each(choose(cases))('%s, %s', (_pattern, codec, options) => {
  const start = async (): Promise<(form: string, length: number) => Promise<unknown>> => {
    bus = await createBus({ core, ...options, capabilities: [], codec, log: false })
    await bus.open('main', module, { allow: ['take'] })
    return (form, length) => bus.call('main', 'take', { form, length })
  }

  test('5 MB arrive as bytes, as an argument and in one', async () => {
    const take = await start()
    const length = 5 * 1024 * 1024
    const bytes = { bytes: length, last: (length - 1) % 251 }
    expect(await take('whole', length)).toEqual({ data: bytes })
    expect(await take('nested', length)).toEqual({
      inner: { method: 'POST', headers: [['a', 'b']], data: bytes },
    })
  })

  test('up to 65,536 values, and arrays with anything but bytes, stay arrays', async () => {
    const take = await start()
    expect(await take('whole', 65_536)).toEqual({ data: { array: 65_536 } })
    expect(await take('whole', 65_537)).toEqual({ data: { bytes: 65_537, last: 65_536 % 251 } })
    expect(await take('mixed', 100_000)).toEqual({ data: { array: 100_000 } })
    expect(await take('fraction', 100_000)).toEqual({ inner: { data: { array: 100_000 } } })
  })
})
