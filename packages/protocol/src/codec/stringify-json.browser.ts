// `stringify-json.ts` for browsers, without the check.
export const stringifyJson = (value: unknown, convert?: (value: unknown) => unknown): string | undefined =>
  JSON.stringify(value, convert && ((_key, each: unknown) => convert(each)))
