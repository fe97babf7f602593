// Who is answered at all. The address is this machine's own, but others are on it: pages of other sites in the same browser, by
// their own names or by one that was bent to 127.0.0.1 (DNS rebinding), and other users' programs.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface Refusal {
  status: number
  text: string
}

export interface Door {
  token: string
  port: number
}

const METHODS: readonly unknown[] = ['GET', 'HEAD']

/** @returns `undefined` for whom the page is for */
export function refusalOf(
  { method, headers }: IncomingMessage,
  query: URLSearchParams,
  { token, port }: Door,
): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(headers.host ?? '')) return refused('This is no name of the inspector.')
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return refused(ELSEWHERE)
  if (!['same-origin', 'none', undefined].includes(headers['sec-fetch-site'] as string)) return refused(ELSEWHERE)
  if (!METHODS.includes(method)) return { status: 405, text: 'The inspector only shows: GET and HEAD.' }
  const given = query.getAll('token')
  if (given.length !== 1 || !isSame(given[0]!, token)) return { status: 401, text: NO_TOKEN }
  return undefined
}

const ELSEWHERE = 'No other site may ask the inspector. Open its URL from the address bar.'
const NO_TOKEN = 'The inspector wants the token that is in the URL of bus.inspectServer(). A new one has a new token.'

const refused = (text: string): Refusal => ({ status: 403, text })

/** In a time that tells nothing of either. */
const isSame = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
