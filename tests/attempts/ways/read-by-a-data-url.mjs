export const tries = 'reads that file in a module of its own, by a data: URL'
export const decides = 'the secret of the file is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, facts }) => {
  const code = `import { readFileSync } from 'node:fs'; export default readFileSync(${JSON.stringify(facts.file)}, 'utf8')`
  return (await load(`data:text/javascript,${encodeURIComponent(code)}`)).default
}
