export const tries = 'opens the inspector, by which any program on the machine runs code in the process'
export const decides = 'its answer has the address of the inspector'
export const reached = ({ answer }) => answer.startsWith('ws://')

export default async ({ load }) => {
  const inspector = await load('inspector')
  inspector.open(0)
  return String(inspector.url())
}
