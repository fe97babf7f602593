// The host of one try: a process of its own, so that one that is ended or blocked is seen to be. It gets a job by a message, and answers by one.
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { getPriority } from 'node:os'
import { places } from './places.mjs'

const [job] = await once(process, 'message')
const place = places.find(({ name }) => name === job.place)
globalThis.markOfTheHost = job.mark
openSync(job.facts.file)
let wasHeard = false
const channel = new BroadcastChannel('attempts')
channel.onmessage = () => (wasHeard = true)
channel.unref()
const result = await place.run(job).then(
  answer => JSON.parse(answer),
  error => ({
    ...{ error: String(error.message), isFailure: true },
    isUnavailable: error.constructor.name === 'LauncherUnavailable',
  }),
)
const isPolluted = {}.changedByAttempt === true
process.send({ ...result, wasHeard, isPolluted, priority: getPriority() }, () => process.disconnect())
