export const tries = 'runs on after the host has ended the sandbox'
export const decides = 'the process of the host does not end by itself'
export const reached = ({ runsOn }) => runsOn

export default async ({ timers, need }) => {
  need(timers, 'timers').setInterval(() => {}, 100)
  return 'started'
}
