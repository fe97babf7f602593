// Which workers a changed file is a part of.
import { expect, it } from 'vitest'
import { affectedBy } from './dev-mode.js'

const modules = [
  { name: 'core', module: '/app/core.js' },
  { name: 'main', module: '/app/main.js' },
  { name: 'one', module: '/app/plugins/one/index.js' },
  { name: 'two', module: '/app/plugins/one/other.js' },
]

it.each<[what: string, file: string, names: string[]]>([
  ['a module is its own', '/app/core.js', ['core']],
  ['a module is its own, further down', '/app/plugins/one/other.js', ['two']],
  ['what stands beside modules is all of theirs', '/app/shared.js', ['core', 'main']],
  ['what stands below is the nearest ones’', '/app/plugins/one/lib/x.js', ['one', 'two']],
  ['what stands below none of them in between', '/app/plugins/x.js', ['core', 'main']],
  ['a folder of a longer name is another', '/app/plugins/one-more/x.js', ['core', 'main']],
  ['what stands elsewhere is nobody’s', '/other/x.js', []],
])('%s', (_what, file, names) => {
  expect(affectedBy(file, modules)).toEqual(names)
})
