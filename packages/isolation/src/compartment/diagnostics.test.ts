import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { describeMissingNames } from './diagnostics.js'

test('warns about the missing names of a hook', () =>
  rows([
    ['new URL(payload.url).origin', 'URL'],
    ['window.setTimeout(f, 1); fetch("/x")', 'setTimeout, fetch'],
    ['document.title', 'document'],
    ['const fetch = () => 1; fetch()', undefined],
    ['payload.process.x; "document.title"; my_fetch(1); crypto$()', undefined],
    ['console.log(Date.now(), new TextEncoder(), confirm("?"))', undefined],
  ])((source, names) => {
    const warning = names && `index.js uses names that are undefined in the sandbox: ${names}`
    expect(describeMissingNames('index.js', source)).toBe(warning)
  }))
