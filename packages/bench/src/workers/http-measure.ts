// Requests to the host's own server, one after the other over one connection, while the host calls.
import { Agent, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { workerData } from 'node:worker_threads'
import type { Measurement } from '../task.js'
import { HTTP_ANSWER, HTTP_PATH } from './http-paths.js'
import { percentiles } from './percentiles.js'
import { serveParent } from './serve-parent.js'

const { port } = workerData as { port: number }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const expected = JSON.stringify(HTTP_ANSWER)

async function request(path: string): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent }, resolve).on('error', reject)
  })
  const body = await text(response)
  if (response.statusCode !== 200) throw new Error(`the host's server answered ${response.statusCode}: ${body}`)
  return body
}

async function requestFor(ms: number): Promise<Float64Array> {
  const taken: number[] = []
  const end = performance.now() + ms
  let now = performance.now()
  do {
    const start = now
    const body = await request(HTTP_PATH.ping)
    now = performance.now()
    taken.push(now - start)
    if (body !== expected) throw new Error(`the host's server answered ${body}`)
  } while (now < end)
  return Float64Array.from(taken)
}

async function measureHttp(ms: number, settleMs: number, pace: string): Promise<Measurement> {
  await request(HTTP_PATH.start + pace)
  const start = performance.now()
  await requestFor(settleMs)
  const taken = await requestFor(ms)
  const elapsed = performance.now() - start
  const calls = Number(await request(HTTP_PATH.stop))
  if (calls === 0) throw new Error('the host has made no call')
  return { ...percentiles(taken), rate: (calls / elapsed) * 1e3 }
}

serveParent(({ ms, settleMs = 0, pace = 'paced' }) => measureHttp(ms, settleMs, pace))
