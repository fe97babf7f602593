// Listeners in core: `app.listen` and `app.once` return the function that removes them.
import { expect, test } from 'vitest'
import { type App, BusError } from '../../src/index.js'
import { start } from '../support/start.js'

async function startApp(): Promise<App> {
  let app!: App
  await start({ core: { setup: created => void (app = created) } })
  return app
}

test('the function that app.listen returns removes the listener, once', async () => {
  const app = await startApp()
  const received: unknown[] = []
  const unlisten = app.listen('tick', ({ payload }) => received.push(['first', payload]))
  app.listen('tick', ({ payload }) => received.push(['second', payload]))
  app.emit('tick', 1)
  unlisten()
  unlisten()
  app.emit('tick', 2)
  expect(received).toEqual([
    ['first', 1],
    ['second', 1],
    ['second', 2],
  ])
})

test('the function that app.once returns removes the listener before its event', async () => {
  const app = await startApp()
  const received: unknown[] = []
  const unlisten = app.once('tick', ({ payload }) => received.push(['never', payload]))
  app.once('tick', ({ payload }) => received.push(['once', payload]))
  unlisten()
  app.emit('tick', 1)
  app.emit('tick', 2)
  expect(received).toEqual([['once', 1]])
})

test('app.once without a handler resolves with the event, or rejects in time', async () => {
  const app = await startApp()
  const waiting = app.once('tick')
  app.emit('tick', 1)
  expect(await waiting).toMatchObject({ event: 'tick', payload: 1 })
  await expect(app.once('tick', { timeout: 1 })).rejects.toThrow(BusError)
  await expect(app.once('tick', { signal: AbortSignal.abort() })).rejects.toMatchObject({ reason: 'Cancelled' })
})
