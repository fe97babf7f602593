export const tries = 'reads the environment of the host in /proc, by its process id'
export const decides = 'the secret in a variable is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, Deno, facts }) => {
  const path = `/proc/${facts.host}/environ`
  return Deno?.readTextFileSync(path) ?? (await load('fs')).readFileSync(path, 'latin1')
}
