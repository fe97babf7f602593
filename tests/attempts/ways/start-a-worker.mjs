export const tries = 'starts a worker with the environment and the rights of the process'
export const decides = 'the secret of a file that it was not given is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, facts }) => {
  const { Worker, SHARE_ENV } = await load('worker_threads')
  const code = `
    const { readFileSync } = require('node:fs')
    require('node:worker_threads').parentPort.postMessage(readFileSync(${JSON.stringify(facts.file)}, 'utf8'))`
  const worker = new Worker(code, { eval: true, env: SHARE_ENV, execArgv: [] })
  return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject).on('exit', reject))
}
