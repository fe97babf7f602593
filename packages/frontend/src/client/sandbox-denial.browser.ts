// `sandbox-denial.ts` for browsers, where Node's permission model does not exist.

export const explainSandboxDenial = (_error: unknown): string | undefined => undefined
