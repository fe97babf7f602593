export const tries = 'kills another process of the user'
export const decides = 'that process has ended'
export const reached = ({ victimEnded }) => victimEnded

export default async ({ process, Deno, need, facts }) => {
  if (Deno) Deno.kill(facts.victim, 'SIGKILL')
  else need(process, 'process').kill(facts.victim, 'SIGKILL')
  return 'killed'
}
