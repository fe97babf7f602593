export const tries = 'gives the host the lowest priority'
export const decides = 'the host has that priority'
export const reached = ({ priority }) => priority === 19

export default async ({ load, facts }) => {
  const os = await load('os')
  os.setPriority(facts.host, 19)
  return 'set'
}
