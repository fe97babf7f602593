// node observed.mjs <command of node, with its arguments>: runs it, and appends to $REPORT what it said, how it ended, and what is different in $BOX, with
// all that git has there: content, mode and time of each file, link and directory.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

const { BOX, REPORT } = process.env

/** Names are bytes. */
function look(path, seen = new Map()) {
  const { mode, mtimeMs, size } = lstatSync(path)
  const isDirectory = (mode & 0o170000) === 0o040000
  const isLink = (mode & 0o170000) === 0o120000
  const content = isDirectory
    ? ''
    : isLink
      ? readlinkSync(path)
      : createHash('sha1').update(readFileSync(path)).digest('hex')
  const name = path.toString('latin1')
  // A git that a script of the base starts says so that an object is in use.
  const time = isDirectory || !name.includes('/objects/') ? mtimeMs : ''
  seen.set(name, `${mode.toString(8)} ${time} ${isDirectory ? '' : size} ${content}`)
  if (isDirectory)
    for (const inside of readdirSync(path, { encoding: 'buffer' }))
      look(Buffer.concat([path, Buffer.from('/'), inside]), seen)
  return seen
}

const before = look(Buffer.from(BOX))
const { status, signal, stdout, stderr } = spawnSync(process.execPath, process.argv.slice(2), { encoding: 'utf8' })
const after = look(Buffer.from(BOX))
const changed = [...new Set([...before.keys(), ...after.keys()])].filter(path => before.get(path) !== after.get(path))
const describe = path => `${path}: ${before.get(path) ?? 'nothing'} -> ${after.get(path) ?? 'nothing'}`
appendFileSync(REPORT, `${JSON.stringify({ code: status ?? signal, stdout, stderr, changed: changed.map(describe) })},`)
