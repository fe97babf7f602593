// `sandbox-denial.ts` for browsers, where Node's permission model does not exist.

export const explainDenial = (_error: unknown): string | undefined => undefined
