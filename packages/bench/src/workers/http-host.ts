// A host with an HTTP server of its own, whose thread is a client of its bus too. What it calls is asked for over HTTP.
import { createBus } from '@sallyport/core'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { usualCall } from '../payloads/greet.js'
import type { Pace } from '../task.js'
import { checkAnswer, makeReady } from './check.js'
import { HTTP_ANSWER, HTTP_PATH } from './http-paths.js'

/** Calls of each millisecond, one after the other: 8000 a second. */
const PACED = 8

const { poll } = workerData as { poll: boolean }
const bus = await createBus({ core: new URL(import.meta.resolve('#workers/bus-core')), log: false })
const client = await bus.connect('host-client', { codec: 'json', link: 'ring', poll })
const [call] = usualCall.calls.map(makeReady) as [ReturnType<typeof makeReady>]

let running: { stop: boolean; done: Promise<number> } | undefined

function startCalls(pace: Pace): void {
  const run = { stop: false, done: Promise.resolve(0) }
  running = run
  run.done = (async () => {
    let calls = 0
    while (!run.stop) {
      const burst = pace === 'paced' ? PACED : 1
      for (let made = 0; made < burst; made++) {
        checkAnswer(call, await client.invoke(call.command, call.args as Record<string, unknown>))
        calls++
      }
      if (pace === 'paced') await delay(1)
    }
    return calls
  })()
}

/** How many calls were made; an error if one of them had a wrong answer. */
async function stopCalls(): Promise<number> {
  if (!running) return 0
  running.stop = true
  return running.done
}

const server = createServer((request, response) => {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const { url = '' } = request
  if (url.startsWith(HTTP_PATH.start)) {
    startCalls(url.slice(HTTP_PATH.start.length) as Pace)
    answer(200, null)
  } else if (url === HTTP_PATH.stop) {
    stopCalls().then(
      calls => answer(200, calls),
      (error: unknown) => answer(500, String(error)),
    )
  } else answer(200, HTTP_ANSWER)
})

server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
