// The class of channels that other packages and users import.
export { Channel } from './channel.js'
