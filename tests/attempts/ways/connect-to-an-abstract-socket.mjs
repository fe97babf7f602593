export const tries = 'connects to an abstract socket, which has no file'
export const decides = 'the server there was reached'
export const reached = ({ hits }) => hits.abstract > 0

export default async ({ load, facts }) => {
  const net = await load('net')
  return new Promise((resolve, reject) => {
    net.connect({ path: facts.abstract }, () => resolve('connected')).on('error', reject)
  })
}
