// Colors of the log on a terminal. NO_COLOR, FORCE_COLOR and the terminal decide whether there are any.
// An older Node.js has no `styleText`: then importing that name alone would fail before `checkRuntime` says why.
import util from 'node:util'

/** A format of `util.styleText`. Node 20 colors a combination even if NO_COLOR is set, so formats are nested instead. */
export type Color = Extract<Parameters<typeof util.styleText>[0], string>

/** Returns the text in a color, or unchanged. */
export type Paint = (color: Color, text: string) => string

export const createPaint =
  (stream: NodeJS.WriteStream): Paint =>
  (color, text) =>
    text === '' ? '' : util.styleText(color, text, { stream })

const LABEL_COLORS: readonly Color[] = [
  'cyan',
  'magenta',
  'green',
  'blueBright',
  'cyanBright',
  'magentaBright',
  'greenBright',
]

/** Returns the color of a label, which is the same in each run. Red and yellow are for levels. */
export function getLabelColor(label: string): Color {
  let hash = 0
  for (const character of label) hash = (hash * 31 + character.codePointAt(0)!) % 65_521
  return LABEL_COLORS[hash % LABEL_COLORS.length]!
}
