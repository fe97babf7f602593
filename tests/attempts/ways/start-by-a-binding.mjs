export const tries = "starts a program by Node's internal bindings"
export const decides = 'its answer has what only the program prints'
export const reached = ({ answer }) => answer.includes('attempt-42')

export default async ({ process, need }) => {
  const binding = need(need(process, 'process').binding, 'process.binding').call(process, 'spawn_sync')
  const stdio = [
    { type: 'pipe', readable: true, writable: false },
    { type: 'pipe', readable: false, writable: true },
  ]
  const { output, error } = binding.spawn({ file: '/bin/echo', args: ['echo', 'attempt-42'], stdio })
  if (error) throw new Error(`error ${error}`)
  return output.map(String).join()
}
