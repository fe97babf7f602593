#!/usr/bin/env node
// The command `sallyport-acl`: the older name of `sallyport acl`.
process.argv.splice(2, 0, 'acl')
// Not by its name: a bundler would take in the whole command a second time.
await import(new URL('cli.js', import.meta.url).href)
export {}
