// Prints the report of the soak.

const shown = { heap: [2 ** 20, ' MiB'], external: [2 ** 20, ' MiB'], rss: [2 ** 20, ' MiB'] }
const toNumber = n => n.toLocaleString('en', { maximumFractionDigits: 2 })
const toList = counts =>
  Object.entries(counts)
    .map(([name, n]) => `${name} ${toNumber(n)}`)
    .join(', ')

/** Prints the report. Returns true if there is a problem. */
export function report({ seed, ms, rounds, outcomes, faults, events, problems, growths }) {
  const sum = {}
  for (const counts of Object.values(outcomes)) {
    for (const [name, n] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + n
  }
  const calls = Object.values(sum).reduce((a, b) => a + b, 0)
  const seconds = ms / 1000
  console.log(`soak by seed ${seed}: ${rounds} rounds in ${toNumber(seconds)} s`)
  console.log(`  traffic: ${toNumber(calls)} (${toNumber(calls / seconds)} a second): ${toList(sum)}`)
  console.log(`  faults: ${toList(faults)}`)
  console.log(`  events of the buses: ${toList(events)}`)
  for (const kind of new Set(growths.map(each => each.kind))) {
    const worst = growths.filter(each => each.kind === kind).toSorted((a, b) => b.perRound - a.perRound)[0]
    console.log(`  ${toText(worst)}`)
  }
  const broken = growths.filter(each => each.broken).map(each => `${toText(each)}: exceeds its bound`)
  const never = Object.entries(outcomes)
    .filter(([, counts]) => Object.keys(counts).every(name => ['Disconnected', 'Overloaded'].includes(name)))
    .map(([name]) => `${name} never ended as expected`)
  const all = [...problems, ...broken, ...never]
  for (const each of all.slice(0, 20)) console.log(`BROKEN ${each}`)
  return all.length > 0
}

function toText({ actor, kind, from, to, rounds, perRound }) {
  const [unit, name] = shown[kind] ?? [1, '']
  const show = n => toNumber(n / unit)
  return `${kind} of ${actor}: from ${show(from)} to ${show(to)}${name}, ${show(perRound)} a round, over ${rounds} rounds`
}
