export const tries = 'loops without an end, after a promise has settled'
export const decides = 'the host cannot end it'
export const reached = () => false

export default async () => {
  await Promise.resolve()
  for (;;);
}
