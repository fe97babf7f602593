// Prints the report of the soak.

const shown = { heap: [2 ** 20, ' MiB'], external: [2 ** 20, ' MiB'], rss: [2 ** 20, ' MiB'] }
const number = n => n.toLocaleString('en', { maximumFractionDigits: 2 })
const list = counts =>
  Object.entries(counts)
    .map(([name, n]) => `${name} ${number(n)}`)
    .join(', ')

/** Prints, and gives whether anything is wrong. */
export function report({ seed, ms, rounds, outcomes, faults, told, wrong, growths }) {
  const sum = {}
  for (const counts of Object.values(outcomes)) {
    for (const [name, n] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + n
  }
  const calls = Object.values(sum).reduce((a, b) => a + b, 0)
  const seconds = ms / 1000
  console.log(`soak by seed ${seed}: ${rounds} rounds in ${number(seconds)} s`)
  console.log(`  traffic: ${number(calls)} (${number(calls / seconds)} a second): ${list(sum)}`)
  console.log(`  faults: ${list(faults)}`)
  console.log(`  the buses told of: ${list(told)}`)
  for (const kind of new Set(growths.map(each => each.kind))) {
    const worst = growths.filter(each => each.kind === kind).toSorted((a, b) => b.perRound - a.perRound)[0]
    console.log(`  ${text(worst)}`)
  }
  const broken = growths.filter(each => each.broken).map(each => `${text(each)}: more than its bound`)
  const never = Object.entries(outcomes)
    .filter(([, counts]) => Object.keys(counts).every(name => ['Disconnected', 'Overloaded'].includes(name)))
    .map(([name]) => `${name} has never ended as it should`)
  const all = [...wrong, ...broken, ...never]
  for (const each of all.slice(0, 20)) console.log(`BROKEN ${each}`)
  return all.length > 0
}

function text({ of, kind, from, to, rounds, perRound }) {
  const [unit, name] = shown[kind] ?? [1, '']
  const show = n => number(n / unit)
  return `${kind} of ${of}: from ${show(from)} to ${show(to)}${name}, ${show(perRound)} a round, over ${rounds} rounds`
}
