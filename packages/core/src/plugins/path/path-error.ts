// What Tauri's path commands fail with: texts that its clients get as they are.
import { BusError } from '@sallyport/protocol'

export const pathError = (text: string): BusError => new BusError('CommandFailed', text, { data: text })
