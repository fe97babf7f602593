export const tries = 'starts a program'
export const decides = 'its answer has what only the program prints'
export const reached = ({ answer }) => /^v\d+\.\d+|^deno \d|attempt-42/.test(answer)

export default async ({ load, process, need }) => {
  const { spawnSync } = await load('child_process')
  const [, ...errors] = ['']
  const programs = [
    ['/bin/echo', ['attempt-42']],
    [need(process, 'process').execPath, ['--version']],
  ]
  for (const [program, args] of programs) {
    try {
      const { stdout, error } = spawnSync(program, args)
      if (!error) return String(stdout)
      errors.push(error.message)
    } catch (error) {
      errors.push(error.message)
    }
  }
  throw new Error(errors.join())
}
