import { BusError } from '@sallyport/protocol/internal/errors'

/** Placeholders by the name of a secret. */
export type Placeholders = Readonly<Record<string, string>>

/** @throws {BusError} `InvalidParams` if there is no secret of this name */
export function findPlaceholder(placeholders: Placeholders, name: string): string {
  if (Object.hasOwn(placeholders, name)) return placeholders[name]!
  const text = `This frontend has no secret ${JSON.stringify(name)}. Add it to "secrets" of its sandbox`
  throw new BusError('InvalidParams', text)
}
