export const tries = 'writes a file'
export const decides = 'the file exists'
export const reached = ({ exists }) => exists('written')

export default async ({ load, Deno, facts }) => {
  const path = `${facts.directory}/written`
  if (Deno) Deno.writeTextFileSync(path, 'x')
  else (await load('fs')).writeFileSync(path, 'x')
  return 'written'
}
