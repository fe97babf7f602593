// Calls of all http commands with values of wrong types, made from a seed.
import type { Client } from '@sallyport/core'
import fc from 'fast-check'

const COMMANDS = ['fetch', 'fetch_send', 'fetch_cancel', 'fetch_read_body', 'fetch_cancel_body']

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    -1,
    0.5,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    '',
    '1',
    'GET',
    [],
    {},
    [[]],
    { toString: 1 },
    { length: 3 },
  ),
  fc.string({ maxLength: 30 }),
  fc.array(fc.integer({ min: -1, max: 300 }), { maxLength: 5 }),
  fc.jsonValue({ maxDepth: 2 }),
)

/** Returns arguments near those of a valid call: each member is right, odd or missing. */
function createArguments(origin: string): fc.Arbitrary<object> {
  const or = (...values: unknown[]): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...values) }, odd)
  const host = new URL(origin).host
  const clientConfig = fc.record(
    {
      method: or('GET', 'POST', 'HEAD', 'CONNECT', 'OPTIONS'),
      url: or(
        `${origin}/`,
        `${origin}/%00?\r\n#`,
        `http://user@${host}/`,
        'http://localhost:1/',
        'data:,a',
        'data:;base64,a',
        'file:///etc/passwd',
        'http://[',
        'http://a..',
      ),
      headers: or([], [['a', 'b']], [['host', 'x']], [['a', 'b\r\nc']], [['__proto__', 'x']], [['a', 1]]),
      data: or(null, [1, 2], [256], [null], 'text'),
      maxRedirections: or(0, 3),
      connectTimeout: or(0, 1, 1000),
      proxy: or(
        null,
        { all: 'http://127.0.0.1:1' },
        { http: { url: 'x' } },
        { https: { url: 'http://a', basicAuth: 1, noProxy: [] } },
      ),
      danger: or(null, {}, { acceptInvalidCerts: true }, { acceptInvalidHostnames: 'yes' }),
    },
    { requiredKeys: [] },
  )
  return fc.record({ clientConfig: fc.oneof(clientConfig, odd), rid: odd }, { requiredKeys: [] })
}

/** Texts that the plugin rejects with. Those of a mistake in it, as `x is not a function`, are not among them. */
const KNOWN =
  /^(?:Arguments of command .* cannot be serialized|invalid args|invalid HTTP (?:method|header name)|failed to (?:parse header value|process data url|decode data url)|The resource id .* is invalid|url (?:not allowed|contained)|scheme \S* not supported|proxy refused|dangerous settings|error sending request|error following redirect|request refused)/

/** Makes calls, some at a time, and sends what could be made. Each call must settle. */
export async function fuzz(client: Client, origin: string, calls: number, seed: number): Promise<void> {
  const each = fc.tuple(fc.constantFrom('fetch', 'fetch', 'fetch', ...COMMANDS), createArguments(origin))
  const AT_A_TIME = 100
  for (let made = 0; made < calls; made += AT_A_TIME) {
    const batch = fc.sample(each, { numRuns: AT_A_TIME, seed: seed + made })
    await Promise.all(
      batch.map(async ([command, args]) => {
        try {
          const rid = await client.invoke<unknown>(`plugin:http|${command}`, args)
          if (command !== 'fetch') return
          const head = await client.invoke<{ rid: number }>('plugin:http|fetch_send', { rid })
          await client.invoke('plugin:http|fetch_read_body', { rid: head.rid })
          await client.invoke('plugin:http|fetch_cancel_body', { rid: head.rid })
        } catch (error) {
          if (!KNOWN.test((error as Error).message)) throw new Error(JSON.stringify([command, args]), { cause: error })
        }
      }),
    )
  }
}
