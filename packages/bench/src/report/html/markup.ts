// HTML from template strings. Whatever is put in is escaped, unless it came from here: titles and errors come from files of
// users and from other libraries.

export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | false | null | undefined | readonly Value[]

/** Lines are written without their indentation, which is for who reads the code. */
export function markup(strings: TemplateStringsArray, ...values: Value[]): Html {
  const parts = strings.map(part => part.replaceAll(/\s*\n\s*/g, '\n'))
  return new Html(parts.reduce((text, part, at) => text + textOf(values[at - 1]) + part))
}

function textOf(value: Value): string {
  if (value === false || value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(textOf).join('')
  return escape(String(value))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, character => ENTITIES[character]!)

/** As the content of a script of type `application/json`: nothing in it ends the script. */
export const jsonText = (value: unknown): Html => new Html(JSON.stringify(value).replaceAll('<', String.raw`\u003c`))

/** A number as a program reads it, and as a person does. */
export const data = (value: number, text: string): Html => markup`<data value="${value}">${text}</data>`

/** Words with code between backticks. */
export const prose = (text: string): Html =>
  markup`${text.split('`').map((part, at) => (at % 2 === 1 ? markup`<code>${part}</code>` : part))}`
