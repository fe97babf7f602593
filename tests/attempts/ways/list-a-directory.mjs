export const tries = 'lists a directory that it was not given'
export const decides = 'the name of a file there is in its answer'
export const reached = ({ answer }) => answer.includes('a-private-name')

export default async ({ load, Deno, facts }) => {
  if (Deno) return JSON.stringify([...Deno.readDirSync(facts.directory)])
  const fs = await load('fs')
  return fs.readdirSync(facts.directory).join()
}
