// What a frontend may be called, wherever its label comes from: options, a session that a network brings, a credential.
const LABEL = /^[a-zA-Z0-9\-/:_]{1,200}$/
/** Host and core speak of themselves by these. */
const RESERVED_LABELS = ['host', 'core']

export const LABEL_RULE = 'a label of letters, digits, "-", "/", ":" and "_"'
export const FREE_LABEL_RULE = 'a label other than "host" and "core"'

export const isLabelText = (text: string): boolean => LABEL.test(text)

export const isReservedLabel = (text: string): boolean => RESERVED_LABELS.includes(text)

/** True for a text that may be a frontend's label. */
export const isLabel = (given: unknown): given is string =>
  typeof given === 'string' && isLabelText(given) && !isReservedLabel(given)
