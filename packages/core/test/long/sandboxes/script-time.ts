// The limits of CPU time of a script, which are real time. On a slow machine they end sooner what only they end, and nothing else.
/** Ends a script that loops. */
export const SOON = { time: 50 } as const
/** The longest time that there is: for scripts that something else ends, and neighbours of those that loop. */
export const LONGEST = { time: 5000 } as const
