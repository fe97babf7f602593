// The module that core loads in its own thread: see `natsNetwork`.

export { join } from './core/nats-network.js'
