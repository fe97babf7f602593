// GitHub's webhook events, as GitHub sent them (@octokit/webhooks-examples): the nested, wordy JSON of a usual web API.
import { createRequire } from 'node:module'
import { echoOf, type Payload } from './payload.js'

interface EventExamples {
  name: string
  examples: unknown[]
}

/** Every published example of one event (`push`, `issues`, `pull_request`, …), sent in turn. */
export function githubEvents(event: string): Payload {
  const events = createRequire(import.meta.url)('@octokit/webhooks-examples') as EventExamples[]
  const found = events.find(({ name }) => name === event)
  if (!found) throw new Error(`@octokit/webhooks-examples has no event '${event}'`)
  return echoOf(`github-${event.replaceAll('_', '-')}`, `GitHub ${event.replaceAll('_', ' ')}`, found.examples)
}
