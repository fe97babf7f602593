// Between a frontend's process and the broker of its network: HTTP/2 over a pipe, with a stream for each connection, which CONNECT opens.
// Each response says what happened.

/** Header of a CONNECT: the scheme of the requests in HTTP/1.1 that follow. The broker encrypts for `https`. */
export const BROKER_SCHEME = 'sallyport-scheme'
/** Header of each response: `response` if it is that of the host, `denied`, or `failed`. */
export const BROKER_OUTCOME = 'sallyport-outcome'
/** Header of a response that is not the host's: why, in one line. */
export const BROKER_REASON = 'sallyport-reason'

/** Headers of HTTP/1.1 that belong to one connection, which HTTP/2 does not have. */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings', 'host', 'expect'],
])
