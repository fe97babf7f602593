// The command `sallyport doctor`: prints which sandboxes work on this machine, why others do not, and what helps.
import { cac } from 'cac'
import { exit, parse, UsageError } from './command-line.js'
import { type Diagnosis, examineMachine, RECOMMENDED, type WallReport } from '@sallyport/process/internal/doctor'

const NAME = 'sallyport doctor'

export async function runDoctor(argv: readonly string[]): Promise<void> {
  const cli = cac(NAME)
  cli.command('', 'Print which sandboxes work on this machine').option('--json', 'Print JSON')
  cli.help(sections => [
    { body: `${NAME} [options]: print which sandboxes work on this machine, why others do not, and what helps` },
    ...sections.filter(({ title }) => title === 'Options'),
    { body: `Exit codes: 0 ${RECOMMENDED} works · 1 it does not · 2 error in the command line` },
  ])
  try {
    const parsed = parse(cli, argv)
    if (!parsed) return
    const diagnosis = await examineMachine()
    const text = parsed.options['json'] === true ? JSON.stringify(diagnosis, null, 2) : render(diagnosis)
    exit(process.stdout, `${text}\n`, diagnosis.isReady ? 0 : 1)
  } catch (error) {
    exit(process.stderr, `${NAME}: ${(error as Error).message}\n`, error instanceof UsageError ? 2 : 1)
  }
}

const UNREAPED =
  'Process 1 is Node.js, which reaps no orphans: each walled process stays. Start the container with --init.'
const ENFORCEMENTS = {
  cgroup: 'by the kernel, in a cgroup',
  checks: 'by checks ten times a second: this host may not make a cgroup',
  mount: 'by the size of a file system in memory',
  disk: 'no quota of bytes or files: the limit is that of the file system of each directory',
  none: 'not limited here',
} as const

function render({ node, walls, limits, sandboxes, isReady, place }: Diagnosis): string {
  const network = node.closesNetwork ? 'closes the network' : 'cannot close the network: Node.js 25 and later can'
  const table = sandboxes.map(({ sandbox, runs, network, holds }) => [sandbox, runs, network, holds])
  return [
    `Node.js ${node.version}, ${node.platform}`,
    `  its permission model ${network}`,
    'Walls',
    ...walls.map(wall => `  ${describeWall(wall)}`),
    'Limits of a process in a wall',
    ...Object.entries(limits).map(([name, how]) => `  ${name}: ${ENFORCEMENTS[how]}`),
    'Sandboxes here',
    ...align([['sandbox', 'runs', 'network', 'holds hostile code'], ...table]).map(line => `  ${line}`),
    '',
    `For third-party code, ${RECOMMENDED} ${isReady ? 'works' : 'does not start'} here.`,
    ...(process.pid === 1 ? [UNREAPED] : []),
    ...(place
      ? [`To allow bubblewrap (section "${place.section}" of the guide's page "Deploying"), run`, `  ${place.command}`]
      : []),
  ].join('\n')
}

const describeWall = ({ name, works, program, reason }: WallReport): string =>
  [
    works ? `${name}: works` : reason?.startsWith(name) ? reason : `${name}: ${reason}`,
    ...(program === undefined ? [] : [`    ${program}`]),
  ].join('\n')

/** Pads all columns but the last. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
