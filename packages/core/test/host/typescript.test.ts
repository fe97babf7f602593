// Modules in TypeScript: they run in every sandbox if Node supports them, or an error names the remedy.
import { expect, test } from 'vitest'
import { fixture, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const core = fixture('host/typescript/core.ts')
const module = fixture('host/typescript/main.ts')
const capabilities = [{ identifier: 'all', windows: ['*'], permissions: ['allow-greet', 'shout:allow-loudly'] }]
const app = { capabilities }
const { typescript: runs } = process.features as { typescript?: false | 'strip' | 'transform' }

/** The error of a Node that does not run TypeScript. */
const advice = (file: string): unknown =>
  expect.objectContaining({
    reason: 'InvalidParams',
    message: expect.stringMatching(
      new RegExp(
        `Node \\S+ cannot run .*${file}: build it first .*, or use Node 22.18 or later. See the page "TypeScript"`,
      ),
    ) as string,
  })

test('runs core, and a plugin that it imports', async () => {
  const answer = async (): Promise<unknown> => {
    const bus = await start({ core, ...app })
    return (await bus.connect('tests')).invoke('plugin:shout|loudly', { text: 'loud' })
  }
  const outcome = await answer().catch((error: unknown) => error)
  expect(outcome).toEqual(runs ? 'LOUD' : advice('core.ts'))
})

test('runs a plugin that a core in JavaScript imports', async () => {
  const plugin = JSON.stringify(fixture('host/typescript/plugin.ts').href)
  const source = `import { shout } from ${plugin}; export default { plugins: [shout] }`
  const starting = start({ core: new URL(`data:text/javascript,${encodeURIComponent(source)}`) })
  const outcome = await starting.then(
    () => 'started',
    (error: unknown) => error,
  )
  expect(outcome).toEqual(runs ? 'started' : advice('plugin.ts'))
})

test('runs a frontend in each sandbox', () =>
  rows(['none', 'permission', 'process'] as const)(async sandbox => {
    const bus = await start({ ...(runs && { core, ...app }), supervision: { restart: 'temporary' } })
    const opening = bus.open('main', module, { sandbox })
    const outcome = await opening.then(() => bus.call('main', 'both')).catch((error: unknown) => error)
    expect(outcome).toEqual(runs ? ['Hello, TypeScript from main!', 'LOUD'] : advice('main.ts'))
  }))
