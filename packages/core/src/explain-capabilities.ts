// Where a review of capabilities begins. Like a bus, it is loaded when it is called: a core module imports this package too.
import type { Explanation } from './authority/explain.js'
import type { ExplainOptions } from './host/review.js'

export interface ExplainedCapabilities extends Explanation {
  /** The same, to read. */
  readonly text: string
}

/**
 * Says who may call what, and by which permission, without starting anything.
 *
 * @throws BusError `InvalidParams` for the mistakes that `createBus` would throw for
 * @example
 * console.log((await explainCapabilities({ config, core })).text)
 */
export async function explainCapabilities(options: ExplainOptions): Promise<ExplainedCapabilities> {
  const [{ review }, { renderExplanation }] = await Promise.all([
    import('./host/review.js'),
    import('./authority/explain-text.js'),
  ])
  const explanation = await review(options)
  return { ...explanation, text: renderExplanation(explanation) }
}
