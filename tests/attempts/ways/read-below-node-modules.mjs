export const tries = 'reads a file below a node_modules that is not its own'
export const decides = 'the secret of the file is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, facts }) => {
  const { createRequire } = await load('module')
  return JSON.stringify(createRequire(facts.module)(facts.module))
}
