// What the command's exit code says.

/** 130 and 143 are those of a run that a signal has ended. */
export const EXIT = { fine: 0, failed: 1, usage: 2, tooNoisy: 3 } as const
