// @ts-check
// The file of the trace: a JSON array with an event a line. Threads of one machine can append to the same file, because each appends whole lines.
/** Where the trace is written. */
export const FILE = new URL('./run.trace.json', import.meta.url)

/** @param {object[]} events */
export const toLines = events => events.map(event => `${JSON.stringify(event)},\n`).join('')
