// `data:` URLs of hostile frontends: the plugin answers them itself, so their cost is core's.
import { expect, test } from 'vitest'
import { connect } from './client.js'
import { rows } from '../../../../scripts/testing.js'

const MIB = 1024 * 1024

test('a data: URL with a long media type is refused', async () => {
  const { request } = await connect([])
  await expect(request({ url: `data:text/plain${' '.repeat(MIB / 2)}x,` })).rejects.toMatchObject({
    data: 'failed to process data url',
  })
})

test('data: URLs are decoded as browsers do', () =>
  rows([
    ['data:,%41%4g%4', 'A%4g%4'],
    ['data:,%6a%E2%82%AC', 'j€'],
    ['data:,%', '%'],
    ['data:;base64,YWI%3D', 'ab'],
    ['data:;base64,Y%20WI=', 'ab'],
    ['data:;base64,YWI', 'ab'],
  ])(async (url, body) => {
    expect(await (await connect([])).text({ url })).toBe(body)
  }))

test('malformed base64 is refused', () =>
  rows(['Y', 'YW=I', 'YWI==', 'YW-_', 'Y!I=', '===='])(async base64 => {
    const { request } = await connect([])
    await expect(request({ url: `data:;base64,${base64}` })).rejects.toMatchObject({
      data: 'failed to decode data url into bytes',
    })
  }))

const REFUSED = { data: expect.stringMatching(/^request refused: 1024 requests, or 67108864 bytes/) }

const LONGEST = `data:,${'a'.repeat(MIB - 6)}`

test('a data: URL of more than 1 MiB is refused', async () => {
  const { fetch } = await connect([])
  await expect(fetch({ url: `${LONGEST}a` })).rejects.toMatchObject({
    data: expect.stringMatching(/^url exceeded 1048576/),
  })
})

test('data: URLs count as bodies until they are sent', async () => {
  const { fetch } = await connect([])
  for (let count = 0; count < 64; count++) await fetch({ url: LONGEST })
  await expect(fetch({ url: 'data:,' })).rejects.toMatchObject(REFUSED)
})

test('data: URLs count as bodies until they are read', async () => {
  const { client, fetch, request } = await connect([])
  const { rid } = await request({ url: LONGEST })
  for (let count = 0; count < 63; count++) await request({ url: LONGEST })
  await expect(fetch({ url: 'data:,' })).rejects.toMatchObject(REFUSED)
  await client.invoke('plugin:http|fetch_cancel_body', { rid })
  expect(await fetch({ url: 'data:,' })).toEqual(expect.any(Number))
})
