// @ts-check
// CPU-heavy: some lines of the Mandelbrot set. The pool runs the default export of a module. It gets only the arguments, so it cannot use
// core's state. Cancelling the call terminates it.

const SHADES = ' .:-=+*%#'

/** @param {{ top: number, rows: number, columns: number, height: number, steps: number }} tile @returns {string[]} */
export default function render({ top, rows, columns, height, steps }) {
  const lines = []
  for (let row = top; row < top + rows; row++) {
    let line = ''
    for (let column = 0; column < columns; column++) {
      const taken = stepsAt((column / columns) * 3 - 2.2, ((row + 0.5) / height) * 2.4 - 1.2, steps)
      line += taken === steps ? '@' : (SHADES[Math.min(taken >> 1, SHADES.length - 1)] ?? ' ')
    }
    lines.push(line.trimEnd())
  }
  return lines
}

/**
 * Returns the number of steps after which the point is known to be outside, at most `most`.
 *
 * @param {number} re
 * @param {number} im
 * @param {number} most
 */
function stepsAt(re, im, most) {
  let x = 0
  let y = 0
  let n = 0
  while (n < most && x * x + y * y <= 4) {
    ;[x, y] = [x * x - y * y + re, 2 * x * y + im]
    n++
  }
  return n
}
