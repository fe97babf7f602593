// node scripts/figures.mjs: takes the figures of docs/performance.md from docs/results.md, so that nobody types one by hand. A table
// stands between `<!-- figures: title | row; row | column; column -->` and `<!-- /figures -->`: the title in the results, and what to take.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const MARKED = /(<!-- figures: ([^|>]+?) \| (.+?) \| (.+?) -->)[^]*?(<!-- \/figures -->)/g

/** @throws where the results have no such table, row or column */
export function withFigures(page, results) {
  return page.replace(MARKED, (_all, begin, title, rows, columns, end) => {
    const [head, , ...body] = tableOf(title, results)
    const chosen = columns.split('; ').map(name => indexOf(name, head, title))
    const lines = rows.split('; ').map(
      name =>
        body[
          indexOf(
            name,
            body.map(([first]) => first),
            title,
          )
        ],
    )
    const pick = cells => `| ${[cells[0], ...chosen.map(index => cells[index])].join(' | ')} |`
    const rule = `| --- |${' ---: |'.repeat(chosen.length)}`
    return [begin, '', pick(head), rule, ...lines.map(pick), '', end].join('\n')
  })
}

function tableOf(title, results) {
  const [, rest] = results.split(`<summary>${title}</summary>`)
  if (rest === undefined) throw new Error(`docs/results.md has no table ${title}`)
  const lines = rest.slice(0, rest.indexOf('</details>')).split('\n')
  return lines
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
}

function indexOf(name, names, title) {
  const index = names.indexOf(name)
  if (index < 0) throw new Error(`${title} of docs/results.md has no ${name}: ${names.join(', ')}`)
  return index
}

/** As `npm run results` does when it has written the results. */
export function writeFigures() {
  const [path, results] = [at('docs/performance.md'), readFileSync(at('docs/results.md'), 'utf8')]
  writeFileSync(path, withFigures(readFileSync(path, 'utf8'), results))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFigures()
