export const tries = 'reads a file that it was not given'
export const decides = 'the secret of the file is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, Deno, facts }) =>
  Deno?.readTextFileSync(facts.file) ?? (await load('fs')).readFileSync(facts.file, 'utf8')
