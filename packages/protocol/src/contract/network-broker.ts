// Between a frontend's process and the broker of its network: HTTP/2 over a pipe. A request has the scheme, host and path of its target;
// CONNECT opens a tunnel. Each response says what happened.

/** Header of each response: `response` if it is that of the host, `denied`, or `failed`. */
export const BROKER_OUTCOME = 'sallyport-outcome'
/** Header of a response that is not the host's: why, in one line. */
export const BROKER_REASON = 'sallyport-reason'

/** Headers of HTTP/1.1 that belong to one connection, which HTTP/2 does not have. */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings', 'host', 'expect'],
])
