import { expect, test } from 'vitest'
import { getBlocks } from './markdown.js'
import { getPrograms } from './programs.js'

const block = (name: string, code: string) => `\`\`\`js\n// ${name}\n${code}\n\`\`\`\n`
const text = (code: string) => `\`\`\`text\n${code}\n\`\`\`\n`

test('a repeated file begins another program, which keeps the other files', () => {
  const page = [
    block('core.mjs', '1'),
    block('host.mjs', '1'),
    text('one'),
    block('main.mjs', '1'),
    block('core.mjs', '2'),
    block('host.mjs', '2'),
    text('two'),
    text('$ node main.mjs --loud\nthree'),
  ].join('\n')
  const programs = getPrograms('page.md', getBlocks('page.md', page))
  const shape = programs.map(({ files, runs }) => ({
    files: [...files].map(([name, { code }]) => `${name} ${code.split('\n')[1]}`),
    runs: runs.map(({ command, output }) => [command.join(' '), output]),
  }))
  expect(shape).toEqual([
    { files: ['core.mjs 1', 'host.mjs 1', 'main.mjs 1'], runs: [['host.mjs', 'one\n']] },
    {
      files: ['core.mjs 2', 'host.mjs 2', 'main.mjs 1'],
      runs: [
        ['host.mjs', 'two\n'],
        ['main.mjs --loud', 'three\n'],
      ],
    },
  ])
})
