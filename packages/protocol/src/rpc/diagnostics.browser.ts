// `diagnostics.ts` for browsers: without subscribers, nothing calls these functions.

export function traceCaller(): void {}
export function traceRun(): void {}
