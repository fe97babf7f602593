// What the host takes from here for links of its own: the client, and the link through a gate.
export { Channel } from './channel.js'
export { Client, type ClientOptions } from './client.js'
export type { EventHandler } from './events.js'
export { addLane, endClient, endLane, lastingClient, relinkClient, type LastingOptions } from './lasting.js'
export type { EmitOptions, InvokeOptions, ListenOptions } from './options.js'
export { throughGate } from './through-gate.js'
