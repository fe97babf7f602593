// The text of a question that a person is asked, whoever asks it: a hook or a command.

/** In UTF-16 code units: what is longer is cut, and ends with `…`. */
export const MAX_CONFIRM_TEXT = 4096

/**
 * The question as text. Whoever asks puts what the frontend sent into it, and the host may print it: control characters
 * (other than line breaks and tabs) and the marks that reorder text are replaced, so that it can't repaint a terminal.
 */
export function toConfirmText(message: unknown): string {
  let text = ''
  try {
    text = message === undefined ? '' : String(message)
  } catch {
    // A toString that throws: the question stays empty.
  }
  if (text.length > MAX_CONFIRM_TEXT) text = `${text.slice(0, MAX_CONFIRM_TEXT - 1)}…`
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\uFFFD')
}
