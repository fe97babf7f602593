import { expect, test } from 'vitest'
import { absentNames } from './diagnostics.js'

test.each([
  ['new URL(payload.url).origin', ['URL']],
  ['window.setTimeout(f, 1); fetch("/x")', ['setTimeout', 'fetch']],
  ['document.title', ['document']],
  ['const fetch = () => 1; fetch()', []],
  ['payload.process.x; "document.title"; my_fetch(1); crypto$()', []],
  ['console.log(Date.now(), new TextEncoder(), confirm("?"))', []],
])('%s', (source, names) => expect(absentNames(source)).toEqual(names))
