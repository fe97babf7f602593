export const tries = 'ends the process of the host: by a signal, abort, exit'
export const decides = 'the host has ended before it had an answer'
export const reached = ({ hostEnded }) => hostEnded

export default async ({ process, need, facts }) => {
  const { kill, abort, reallyExit, exit } = need(process, 'process')
  const ways = [
    () => kill.call(process, facts.host, 'SIGKILL'),
    () => process._kill(facts.host, 9),
    () => abort.call(process),
    () => reallyExit.call(process, 1),
    () => exit.call(process, 1),
  ]
  for (const way of ways) {
    try {
      way()
    } catch {
      // The next.
    }
  }
  return 'tried all'
}
