// Holds options against their schema. Many of them are secrets: what was given is never repeated.
import { BusError } from '@sallyport/protocol'
import * as v from 'valibot'

/**
 * @param where the function whose options they are
 * @throws BusError `InvalidParams`
 */
export function check<S extends v.GenericSchema>(where: string, schema: S, given: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const issue = result.issues.find(isUnknown) ?? result.issues[0]
  const place = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  const name = place.replace(/^\./, '')
  throw new BusError('InvalidParams', `${where}: ${mistake(issue, name)}`)
}

const isUnknown = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

function mistake(issue: v.BaseIssue<unknown>, name: string): string {
  if (isUnknown(issue)) return `unknown option ${JSON.stringify(name)}`
  if (issue.received === 'undefined') return name === '' ? 'the options are missing' : `${name} is missing`
  return `${name === '' ? 'the options' : name} must be ${issue.message}`
}
