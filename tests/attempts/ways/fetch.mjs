export const tries = 'fetches from a port of the machine'
export const decides = 'the server there was reached'
export const reached = ({ hits }) => hits.port > 0

export default async ({ fetch, need, facts }) => {
  const response = await need(fetch, 'fetch')(`http://127.0.0.1:${facts.port}/`)
  return response.text()
}
