export const tries = 'loops without an end'
export const decides = 'the host cannot end it'
export const reached = () => false

export default async () => {
  for (;;);
}
