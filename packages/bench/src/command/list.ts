// What can be measured: every scenario with its cases and arms, as a filter names them.
import type { Colors } from 'picocolors/types.js'
import { loadScenarios } from './additions.js'
import type { Options } from './options.js'
import { createOutput } from './output.js'
import { wrap } from '../report/terminal.js'
import type { Scenario } from '../model/scenario.js'

const INDENT = '    '

/** @returns the exit code */
export async function listAll({ additions }: Options): Promise<number> {
  const { ours, own } = await loadScenarios(additions)
  const { screen, print } = createOutput(process.stdout, process.stderr, false)
  print(describeScenarios([...own, ...ours], screen.columns, screen.colors))
  return 0
}

/** @param columns how wide the screen is */
function describeScenarios(scenarios: readonly Scenario[], columns: number, colors: Colors): string {
  const width = columns - INDENT.length
  const lines = scenarios.flatMap(({ id, title, about, main, cases, arms }) => {
    const words = (name: string, list: readonly { id: string }[]): string[] =>
      wrap(`${name}: ${list.map(one => one.id).join(' ')}`, width)
    const more = [...wrap(about, width), ...words('cases', cases), ...words('arms', arms)]
    return [`  ${colors.bold(id)}${main ? '' : '*'}  ${title}`, ...more.map(line => `${INDENT}${colors.dim(line)}`)]
  })
  const end = [
    'A path is scenario/case/arm; --filter takes a part of it. * is measured only by its name, or with --all.',
  ]
  return [...lines, '', ...end.flatMap(line => wrap(line, columns))].join('\n')
}
