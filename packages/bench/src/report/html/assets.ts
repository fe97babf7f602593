// What the page needs, read from where it is kept, so that it can be put into the one file: page/, and uPlot.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const resolve = createRequire(import.meta.url).resolve

const read = (file: string | URL): string => readFileSync(file, 'utf8')
const page = (name: string): string => read(new URL(`../../../page/${name}`, import.meta.url))

export interface Assets {
  css: string
  /** In this order. */
  scripts: string[]
}

/** @param charts false where nothing has to be drawn by a script */
export const readAssets = (charts: boolean): Assets => ({
  css: [...(charts ? [read(resolve('uplot/dist/uPlot.min.css'))] : []), page('report.css')].join('\n'),
  scripts: [page('page.js'), ...(charts ? [read(resolve('uplot/dist/uPlot.iife.min.js')), page('charts.js')] : [])],
})

/** For a Content-Security-Policy: these scripts run, and nothing else that might have got in. */
export const hashOf = (script: string): string => `'sha256-${createHash('sha256').update(script).digest('base64')}'`
