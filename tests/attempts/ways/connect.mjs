export const tries = 'connects to a port of the machine'
export const decides = 'the server there was reached'
export const reached = ({ hits }) => hits.port > 0

export default async ({ load, Deno, facts }) => {
  if (Deno) return String(await Deno.connect({ hostname: '127.0.0.1', port: facts.port }))
  const net = await load('net')
  return new Promise((resolve, reject) => {
    net.connect(facts.port, '127.0.0.1', () => resolve('connected')).on('error', reject)
  })
}
