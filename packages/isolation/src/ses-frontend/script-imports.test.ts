import { expect, test } from 'vitest'
import { replaceImports } from './script-imports.js'

const from = `from '@sallyport/frontend'`

test.each([
  [`import { a, b as c } ${from}; x`, 'const { a, b: c } = sallyport; ', ' x'],
  [`import * as s ${from}\nx`, 'const s = sallyport; ', '\nx'],
  [`import{a}from"@sallyport/frontend"`, 'const {a} = sallyport; ', ''],
  [`import '@sallyport/frontend'\nx`, '', '\nx'],
  [
    `/* one */ // two\nimport { a } ${from}\nimport { b } ${from}\nx`,
    'const { a } = sallyport; const { b } = sallyport; ',
    '\nx',
  ],
  [`import {\n  a, // why\n  /* } */ b,\n} ${from}\nx`, undefined, undefined],
  [`import {\n  a, // why\n  b,\n} ${from}\nx`, 'const { a, b, } = sallyport; ', '\nx'],
])('replaces %j', (text, declaration, rest) => {
  const replaced = replaceImports(text)
  expect(replaced.text).toHaveLength(text.length)
  expect(replaced.text.split('\n')).toHaveLength(text.split('\n').length)
  if (rest === undefined) return expect(replaced).toEqual({ declaration: '', text })
  expect(replaced.declaration).toBe(declaration)
  return expect(replaced.text.endsWith(rest)).toBe(true)
})

test.each([
  `x; import { a } ${from}`,
  `"import { a } ${from}"`,
  `import { a } from './x.js'`,
  `import a ${from}`,
  `import('@sallyport/frontend')`,
  '/* no end',
  '',
])('leaves %j', text => expect(replaceImports(text)).toEqual({ declaration: '', text }))

test('takes no time for text that is almost an import', () => {
  const text = `${' '.repeat(1e6)}/*${'*'.repeat(1e6)}`
  expect(replaceImports(text)).toEqual({ declaration: '', text })
})
