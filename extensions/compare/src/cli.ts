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

// Node.js would exit with 1, which is a regression.
process.on('uncaughtException', error => {
  console.error(error)
  process.exit(2)
})

// An older Node.js cannot load these.
const [{ runCommand }, { main }] = await Promise.all([import('#measure/cli'), import('./command/compare.js')])

await runCommand('sallyport-compare', () => main(process.argv.slice(2)))

export {}
