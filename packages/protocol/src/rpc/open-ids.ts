// Tables of what is open by an id that the other side has chosen: calls, channels, streams, requests. Such an id is used once until it is free:
// what replaced an entry would leave the one before it open, where no limit counts it and nothing ends it.
import { BusError, describeName } from '../errors/bus-error.js'

/** @param what - is open under the id, in words of an error @throws {BusError} `InvalidRequest` if the id is in the table */
export function refuseOpen<Id extends string | number>(table: { has(id: Id): boolean }, id: Id, what: string): void {
  if (!table.has(id)) return
  const text = `A ${what} was refused: its id ${describeName(String(id))} is open. Use another id until that has ended`
  throw new BusError('InvalidRequest', text)
}
