export const tries =
  'is granted one host, if the sandbox has a list of hosts, and fetches from it what leads to another'
export const decides = 'the other server was reached'
export const grants = 'host'
export const reached = ({ hits }) => hits.port > 0

export default async ({ fetch, need, facts }) => {
  const response = await need(fetch, 'fetch')(`http://127.0.0.1:${facts.redirect}/`)
  return response.text()
}
