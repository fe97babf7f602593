// What SES refuses to run by a look at its text, in words that its author can act on.

const REFUSALS: Record<string, string> = {
  SES_HTML_COMMENT_REJECTED: `'<!--' or '-->', which the sandbox takes for an HTML comment`,
  SES_IMPORT_REJECTED: `'import(' or 'import.', which the sandbox takes for a dynamic import`,
  SES_EVAL_REJECTED: `'eval(', which the sandbox takes for a direct eval`,
}

/** What SES refuses without parsing, in words: `undefined` for any other message. */
export function explainRefusal(message: string, locate: (line: number) => string): string | undefined {
  const [, line, code = ''] = /:(\d+)\. \((SES_\w+)\)$/.exec(message) ?? []
  const what = REFUSALS[code]
  if (what === undefined) return undefined
  return `${locate(Number(line))}: it contains ${what}, even in a string or a comment: write it in two pieces`
}
