import { expect, test } from 'vitest'
import { data, jsonText, markup, prose } from './markup.js'

test('what is put in is escaped, in text and in attributes, and nothing is put in for nothing', () => {
  const title = '"><script>alert(1)</script>'
  expect(markup`<p title="${title}">${title}${null}${false}${undefined}${0}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;0</p>',
  )
  expect(markup`<p>${[markup`<b>${'a & b'}</b>`, ' and ', data(1.5, '1.50 µs')]}</p>`.text).toBe(
    '<p><b>a &amp; b</b> and <data value="1.5">1.50 µs</data></p>',
  )
})

test('JSON does not end its script', () => {
  const { text } = jsonText(['</script><script>'])
  expect(text).not.toContain('<')
  expect(JSON.parse(text)).toEqual(['</script><script>'])
})

test('code in prose', () => {
  expect(prose('with `{ transfer }`, and <b>').text).toBe('with <code>{ transfer }</code>, and &lt;b&gt;')
})
