// Runs the built command several times in one process, which loads its modules only once. Reads the URL of the command and the
// runs from argv. Prints the exit code and the output of each run.
const [, , url, runs] = process.argv

const results = []
for (const [number, { args, cwd }] of JSON.parse(runs).entries()) {
  const printed = { stdout: '', stderr: '' }
  const restores = ['stdout', 'stderr'].map(name => {
    const before = process[name].write
    process[name].write = text => {
      printed[name] += text
      return true
    }
    return () => (process[name].write = before)
  })
  process.argv = [process.argv[0], url, ...args]
  process.chdir(cwd)
  process.exitCode = undefined
  await import(`${url}?${number}`)
  for (const restore of restores) restore()
  results.push({ code: process.exitCode ?? 0, ...printed })
}
process.exitCode = 0
process.stdout.write(JSON.stringify(results))
