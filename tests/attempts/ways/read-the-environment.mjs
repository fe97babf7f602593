export const tries = 'reads an environment variable of the host: in process.env, a diagnostic report, its own /proc'
export const decides = 'the secret in the variable is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, process, need }) => {
  const ways = [
    async () => need(process, 'process').env.SECRET_OF_THE_HOST,
    async () => JSON.stringify(process.env),
    async () => process.report.getReport(),
    async () => (await load('fs')).readFileSync('/proc/self/environ', 'latin1'),
    async () => (await load('fs')).readFileSync('/proc/thread-self/environ', 'latin1'),
  ]
  const results = await Promise.allSettled(ways.map(way => way()))
  if (results.every(({ reason }) => reason)) throw results[0].reason
  return JSON.stringify(results.map(({ value }) => value))
}
