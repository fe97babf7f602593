// What a frontend may be named.
const LABEL = /^[a-zA-Z0-9\-/:_]{1,200}$/
/** Host and core speak of themselves by these. */
const RESERVED: readonly string[] = ['host', 'core']

export const isLabelText = (text: string): boolean => LABEL.test(text)

export const isReserved = (label: string): boolean => RESERVED.includes(label)

export const isLabel = (given: unknown): given is string =>
  typeof given === 'string' && isLabelText(given) && !isReserved(given)
