// `node:util/types` of a script in QuickJS, for the codecs. Its VM has one realm.
export const isBoxedPrimitive = (value: unknown): boolean =>
  [Number, String, Boolean, BigInt, Symbol].some(type => value instanceof type)
export const isDate = (value: unknown): value is Date => value instanceof Date
export const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map
export const isSet = (value: unknown): value is Set<unknown> => value instanceof Set
