// The reference of sealed bytes: the same cipher as node:crypto has it, in one thread, with nothing sent anywhere.
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

export const cipher: Arm = {
  id: 'aes-256-gcm',
  title: 'AES-256-GCM of node:crypto',
  open: async () => threadArm(startWorker('cipher-measure')),
}
