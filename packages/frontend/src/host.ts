// What the host takes from here for links of its own: the client, and the link through a gate.
export { Client, type ClientOptions, type EmitOptions, type InvokeOptions, type ListenOptions } from './client.js'
export type { EventHandler } from './events.js'
export { throughGate } from './through-gate.js'
