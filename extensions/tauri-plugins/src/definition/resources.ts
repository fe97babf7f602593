// Resources of frontends: objects that plugins keep open between calls, by number.
import type { CommandContext, Resources } from '@sallyport/core'
import type { Args } from './args.js'

/** Returns the caller's resource that the argument `rid` names. @throws {BusError} InvalidParams, `The resource id N is invalid.` */
export const getResource = <T extends object>(
  { rid }: Args,
  { resources }: Pick<CommandContext, 'resources'>,
  type: abstract new (...args: never[]) => T,
): T => resources.get(typeof rid === 'number' ? rid : -1, type)

/** Adds a resource, and returns its number. Closes it if the frontend is gone, or has too many. @throws {BusError} Disconnected or Overloaded */
export function addResource(resources: Resources, resource: { close(): unknown }): number {
  try {
    return resources.add(resource)
  } catch (error) {
    // Its error would hide the reason.
    void (async () => resource.close())().catch(() => {})
    throw error
  }
}

/** Makes a number invalid, without closing the resource. */
export function forgetResource(resources: Resources, rid: number): void {
  if (resources.has(rid)) resources.take(rid)
}
