// npm run bench: runs the benchmark where the user stands, so that paths are relative to that directory and reports are written there.
// npm itself runs a script in the directory of its package.json.
process.chdir(process.env.INIT_CWD ?? '.')
await import('../packages/bench/dist/cli.js')
