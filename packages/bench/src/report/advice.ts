// The advice on a payload of the user: the fastest transport, and what others cost, by the figures of this run.
import { formatBytes, formatFigure } from '../shared/text.js'
import { describeDifference, describeRatio, toBars, type Answer } from './answer.js'
import type { Figure, ScenarioReport } from './report.js'

/** Begins the id of a scenario of a payload. */
export const PAYLOAD_PREFIX = 'payload-'

/** Transports whose other side has only the bytes of a document, or that add something. */
const OTHERS = ['bytes-copied', 'hook-ring-json', 'isolation-ring-json', 'process', 'process-wall']

/** What Node and other libraries do without Sallyport, for comparison. */
const FOREIGN = ['raw', 'text']

/** Returns undefined for another scenario, or if all transports failed. */
export function getAdvice({ id, title, arms, cases: [one] }: ScenarioReport): Answer | undefined {
  if (!id.startsWith(PAYLOAD_PREFIX) || !one) return undefined
  const measured = arms.flatMap(arm => {
    const figure = one.results.find(result => result.arm === arm.id)?.figures.find(entry => entry.id === 'p50')
    return figure ? [{ ...arm, figure }] : []
  })
  const find = (arm: string): Figure | undefined => measured.find(entry => entry.id === arm)?.figure
  const sorted = measured.filter(arm => !OTHERS.includes(arm.id)).toSorted((a, b) => a.figure.median - b.figure.median)
  const fastest = sorted.find(arm => !FOREIGN.includes(arm.id))
  if (!fastest) return undefined
  const describeArms = (isForeign: boolean): string =>
    sorted
      .filter(arm => arm !== fastest && FOREIGN.includes(arm.id) === isForeign)
      .map(arm => `${arm.title} ${describeRatio(arm.figure, fastest.figure)}`)
      .join(', ')
  const [ours, foreign] = [describeArms(false), describeArms(true)]
  const bytes = describeRatio(find('bytes-copied'), fastest.figure)
  const encryption = describeDifference(find('isolation-ring-json'), find('hook-ring-json'))
  const ring = measured.find(({ id: arm }) => arm === 'ring-json')
  const wall = describeRatio(find('process-wall'), ring?.figure)
  const parts = [
    `Your ${title.replace(/, [^,]*$/, '')} (${formatBytes(one.payloadBytes)}) is fastest as ${fastest.title}: ${formatFigure(fastest.figure)} there and back`,
    ours && `against it, ${ours}`,
    foreign && `without Sallyport, over a MessagePort: ${foreign}`,
    bytes && `bytes that no side parses ${bytes}`,
    encryption && `encryption adds ${encryption}`,
    wall && `${ring!.title} to a process in its wall takes ${wall} its time between threads`,
  ]
  return {
    question: `How to send ${title}?`,
    sentence: `${parts.filter(Boolean).join('; ')}.`,
    bars: toBars(measured.map(({ title: name, figure }) => [name, figure])),
  }
}
