// A clock that all threads and processes of this machine share.

/** Returns microseconds. `performance.now` starts at 0 in each thread. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e3
