#!/usr/bin/env node
// The command `sallyport-compare`.
const { node } = process.versions
const [major = 0, minor = 0] = node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `sallyport-compare: This is Node.js ${node}, and Sallyport needs 20.19 or later. Update Node.js\n`,
  )
  process.exit(2)
}

// An older Node.js cannot load these.
const modules = Promise.all([import('./shared/cli.js'), import('./command/compare.js')])
const [{ runCommand }, { main }] = await modules.catch((error: unknown) => {
  console.error(error)
  // Not 1, which is a regression.
  return process.exit(2)
})

await runCommand('sallyport-compare', () => main('sallyport-compare', process.argv.slice(2)))

export {}
