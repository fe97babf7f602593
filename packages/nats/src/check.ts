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
  const missing = result.issues.find(isMissing)
  const unknown = result.issues.find(isUnknown)
  const issue = unknown ?? result.issues[0]
  const text = mistake(issue)
  // The one may be the other, misspelt.
  const other = unknown && missing ? `, and ${mistake(missing)}` : ''
  throw new BusError('InvalidParams', `${where}: ${text}${other}`)
}

const isMissing = ({ received }: v.BaseIssue<unknown>): boolean => received === 'undefined'

const isUnknown = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

function mistake(issue: v.BaseIssue<unknown>): string {
  const name = nameOf(issue)
  if (isUnknown(issue)) return `unknown option ${JSON.stringify(name)}`
  if (isMissing(issue)) return name === '' ? 'the options are missing' : `${name} is missing${givenBeside(issue)}`
  return `${name === '' ? 'the options' : name} must be ${issue.message}`
}

function nameOf({ path }: v.BaseIssue<unknown>): string {
  const place = (path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return place.replace(/^\./, '')
}

/** Names alone: what is missing may be there misspelt. */
function givenBeside({ path }: v.BaseIssue<unknown>): string {
  const last = path?.at(-1)
  const beside = Object.keys(Object(last?.input) as object)
    .filter(key => key !== last?.key)
    .slice(0, 10)
  return beside.length === 0 ? '' : `: given are ${beside.join(', ')}`
}
