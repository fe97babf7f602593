export const tries = 'asks a name server, by which bytes leave the machine'
export const decides = 'the server got a datagram'
export const reached = ({ hits }) => hits.datagram > 0

export default async ({ load, facts }) => {
  const { Resolver } = await load('dns/promises')
  const resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${facts.datagramPort}`])
  return String(await resolver.resolve4('secret.example.com'))
}
