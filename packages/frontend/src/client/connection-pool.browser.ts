// `connection-pool.ts` for browsers, where a client has one connection and no pool.

export class ConnectionPool {}
