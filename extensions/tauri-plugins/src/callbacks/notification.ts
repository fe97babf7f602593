// The commands of @tauri-apps/plugin-notification that a desktop has.
import type { Plugin } from '@sallyport/core'
import { createPlugin } from '../definition/create-plugin.js'
import { getOptionalInteger, getOptionalObject, getOptionalText, getText } from '../definition/args.js'
import { NOTIFICATION_SCRIPT } from '../definition/init-scripts.js'
import { askHost, askPerson, type HostRequest, toSafeText, withLabel } from './ask.js'

/** A notification. Its texts are for a person: in one line, and not too long. */
export interface Notification {
  /** The frontend's number of it. */
  readonly id: number | undefined
  /** Begins with the frontend's label. */
  readonly title: string
  /** The text below the title. */
  readonly body: string | undefined
  /** The icon's name or path, as the frontend wrote it. */
  readonly icon: string | undefined
  /** The sound's name, as the frontend wrote it. */
  readonly sound: string | undefined
  /** The group of notifications that it belongs to. */
  readonly group: string | undefined
}

/** Whether a person lets a frontend show notifications. */
export type NotificationPermission = 'granted' | 'denied' | 'prompt'

/** Functions of the host for `notification`. Without `notify` every command is refused. */
export interface NotificationOptions {
  /** Shows a notification. */
  notify?(notification: Notification, request: HostRequest): unknown
  /** Returns what a person decided before. By default it is granted. */
  permission?(request: HostRequest): NotificationPermission | Promise<NotificationPermission>
  /** Asks a person. By default it is granted. */
  requestPermission?(request: HostRequest): NotificationPermission | Promise<NotificationPermission>
}

/** Notifications of one frontend in one period. */
const MAX_NOTIFICATIONS = 10
const PERIOD_MS = 60_000
const MAX_TEXT = 100_000

/** Returns Tauri's plugin `notification`, with `window.Notification` for frontends. A frontend can show 10 notifications a minute. */
export function notification(options: NotificationOptions = {}): Plugin<'notification'> {
  const { notify, permission, requestPermission } = options
  const grant = (): NotificationPermission => 'granted'
  const name = 'notification({ notify })'
  return createPlugin('notification', {
    script: NOTIFICATION_SCRIPT,
    setup: app => void app.manage(NotificationTimes, new NotificationTimes()),
    commands: {
      is_permission_granted: async (_args, ctx) => {
        const state = await askHost(name, ctx, notify && (permission ?? grant), [])
        return state === 'prompt' ? null : state === 'granted'
      },
      request_permission: (_args, ctx) => askPerson(name, ctx, notify && (requestPermission ?? grant), []),
      notify: async (args, ctx) => {
        const shown = getOptionalObject(args, 'options')
        const getShort = (key: string): string | undefined => {
          const text = getOptionalText(shown, key, MAX_TEXT)
          return text === undefined ? undefined : toSafeText(text)
        }
        const value: Notification = {
          id: getOptionalInteger(shown, 'id'),
          title: withLabel(ctx.label, getText(shown, 'title', MAX_TEXT)),
          body: getShort('body'),
          icon: getShort('icon'),
          sound: getShort('sound'),
          group: getShort('group'),
        }
        if (notify) ctx.state(NotificationTimes).add(ctx.label)
        await askHost(name, ctx, notify, [value])
      },
    },
  })
}

/** When each frontend has shown its latest notifications. */
class NotificationTimes {
  readonly #times = new Map<string, number[]>()

  /** @throws {Error} if the frontend has shown too many */
  add(label: string): void {
    const now = performance.now()
    for (const [each, times] of this.#times) if (times.at(-1)! < now - PERIOD_MS) this.#times.delete(each)
    const recent = (this.#times.get(label) ?? []).filter(time => time >= now - PERIOD_MS)
    if (recent.length >= MAX_NOTIFICATIONS) {
      throw new Error(`Notification refused: ${MAX_NOTIFICATIONS} were shown within ${PERIOD_MS} ms. Try again later.`)
    }
    this.#times.set(label, [...recent, now])
  }
}
