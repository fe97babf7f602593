// Which workers a changed file affects.
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getAffected } from './dev-mode.js'

const modules = [
  { name: 'core', path: '/app/core.js' },
  { name: 'main', path: '/app/main.js' },
  { name: 'one', path: '/app/plugins/one/index.js' },
  { name: 'two', path: '/app/plugins/one/other.js' },
]

it('a changed file affects the workers whose modules are nearest', () =>
  rows<[what: string, file: string, names: string[]]>([
    ['only its own worker for a module', '/app/core.js', ['core']],
    ['only its own worker for a module in a nested directory', '/app/plugins/one/other.js', ['two']],
    ['all modules of the same directory', '/app/shared.js', ['core', 'main']],
    ['the modules of the nearest directory above', '/app/plugins/one/lib/x.js', ['one', 'two']],
    ['the modules further up if no nearer directory has any', '/app/plugins/x.js', ['core', 'main']],
    ['no module of a directory whose name is a prefix', '/app/plugins/one-more/x.js', ['core', 'main']],
    ['nothing outside of all directories', '/other/x.js', []],
  ])((_what, file, names) => expect(getAffected(file, modules)).toEqual(names)))
