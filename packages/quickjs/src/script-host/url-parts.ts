// What a URL consists of, for both sides of a script in QuickJS.

/** Members of `URL` that can be assigned. */
export const URL_PARTS = [
  'href',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

export type UrlPart = (typeof URL_PARTS)[number]

/** All members, by name. */
export type UrlParts = Record<UrlPart | 'origin', string>
