// explainCapabilities takes createBus's options and starts nothing.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { explainCapabilities } from '../../src/acl.js'
import { defineCore } from '../../src/index.js'
import { project } from '../support/notes.js'
import { writeProject } from '../support/project.js'

test("explains a project's files and its core module", async () => {
  const directory = writeProject(project)
  const explanation = await explainCapabilities({
    config: directory,
    core: join(directory, 'core.mjs'),
    labels: ['main'],
  })
  const [main] = explanation.frontends
  const access = (name: string) => main!.commands.find(({ command }) => command === name)?.access
  expect(['greet', 'delete_note', 'plugin:files|read', 'plugin:files|write'].map(access)).toEqual([
    'allowed',
    'closed',
    'allowed',
    'closed',
  ])
  expect(explanation.text).toMatch(/^main \(main\)\n/)
})

test('explains inline capabilities and a definition of core', async () => {
  const core = defineCore({ commands: { greet: () => 'hi', bye: () => 'bye' } })
  const capabilities = [{ identifier: 'a', windows: ['a'], permissions: ['deny-greet', 'allow-bye'] }]
  const { frontends } = await explainCapabilities({ capabilities, core })
  expect(frontends.map(({ label, commands }) => [label, commands.find(({ command }) => command === 'greet')])).toEqual([
    [
      'a',
      { command: 'greet', access: 'denied', by: [{ capability: 'a', permission: 'deny-greet' }], scope: undefined },
    ],
  ])
  await expect(
    explainCapabilities({
      capabilities: [{ ...capabilities[0]!, permissions: ['allow-gret'] }],
      core,
    }),
  ).rejects.toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining('did you mean "allow-greet"?') })
})
