// Options and result of `bus.callAll`: one call to each of several frontends, of which each settles by itself.
import { Channel } from '@sallyport/frontend/internal'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { checkDeadline, checkNamedArguments, isBytes, type WaitOptions } from '@sallyport/protocol/internal/message'
import { isStream } from '@sallyport/protocol/internal/rpc'
import { createGlobMatcher } from '../../acl/label-glob.js'
import { checkFunctionOptions, describeFunction } from '../../api/frontend-call.js'

type CallAllOptions = WaitOptions & { labels?: string | readonly string[] }

const OPTION_NAMES: ReadonlySet<string> = new Set(['labels', 'signal', 'timeout'])

/** Returns a function that selects the frontends to call. @throws {BusError} InvalidParams; Cancelled or Timeout if the signal is aborted */
export function checkCallAll(name: string, args?: object, options?: CallAllOptions): (label: string) => boolean {
  if (typeof name !== 'string') {
    throw new BusError('InvalidParams', 'bus.callAll takes the name of a function that frontends expose')
  }
  checkFunctionOptions(name, options, OPTION_NAMES, args)
  if (args !== undefined && args !== null && !isBytes(args)) checkArguments(name, args)
  checkDeadline(describeFunction(name), options ?? {})
  const { labels = '*' } = options ?? {}
  const globs: readonly unknown[] = Array.isArray(labels) ? labels : [labels]
  if (!globs.every(glob => typeof glob === 'string')) {
    throw new BusError('InvalidParams', '`labels` of bus.callAll must be a glob of labels, or an array of globs')
  }
  const matchers = globs.map(createGlobMatcher)
  return label => matchers.some(matches => matches(label))
}

function checkArguments(name: string, args: object): void {
  checkNamedArguments(name, args)
  for (const [key, value] of Object.entries(args)) {
    const what = isStream(value) ? 'stream' : value instanceof Channel ? 'channel' : undefined
    if (!what) continue
    const remedy = `Call each frontend with bus.call and a ${what} of its own`
    const text = `The argument ${JSON.stringify(key)} of ${describeName(name)} is a ${what}, which is for one frontend. ${remedy}`
    throw new BusError('InvalidParams', text)
  }
}

/** Calls each frontend at once. Resolves when the last call has settled. */
export async function settleAll<T>(
  labels: readonly string[],
  call: (label: string) => Promise<T>,
): Promise<Record<string, PromiseSettledResult<T>>> {
  const results = await Promise.allSettled(labels.map(call))
  return Object.fromEntries(labels.map((label, index) => [label, results[index]!]))
}
