// What the tables of `host/cures` share: each row provokes an error, reads the cure from its text, and applies it.
import { createBus, defineCore, type Bus, type BusOptions } from '@sallyport/core'
import { expect } from 'vitest'
import { fixture } from './start.js'

export const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    wipe: () => 'gone',
    echo: ({ value }: { value: unknown }) => value,
    ask: (_args, ctx) => ctx.interrupt('Really?'),
    lines: async function* () {
      yield 1
    },
  },
})
/** Relative locations that an error proposes are those of this file. */
const base = fixture('isolation/hooks/core.mjs')
const directory = new URL('.', import.meta.url)
export const toModule = (source: string) => ({
  source: `import { expose, invoke } from '@sallyport/frontend'\n${source}`,
  name: 'plugin.mjs',
  directory,
})
const toText = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

export type Row = [what: string, fails: () => unknown, cure: RegExp, cured: (...found: string[]) => unknown]

/** Provokes the error of a row, reads the cure from its text, and applies it. */
export async function tryCure(_what: string, fails: Row[1], cure: RegExp, cured: Row[3]): Promise<void> {
  const text = await Promise.resolve()
    .then(fails)
    .then(() => expect.fail('nothing failed'), toText)
  expect(text).toMatch(cure)
  await cured(...cure.exec(text)!.slice(1))
}

/** Runs code that an error proposes, with the names in it. */
export const evaluate = (code: string, names: object = {}): unknown =>
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is that of the error
  new Function(...Object.keys(names), `return ${code.replaceAll('import.meta.url', JSON.stringify(base.href))}`)(
    ...Object.values(names),
  )

export const withBus = async (options: object, use: (bus: Bus) => unknown = () => {}): Promise<void> => {
  const bus = await createBus({ core, log: false, ...options } as BusOptions)
  try {
    await use(bus)
  } finally {
    await bus.close({ timeout: 0 })
  }
}
