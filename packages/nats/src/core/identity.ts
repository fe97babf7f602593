// Who an instance is among the others of its bus.
export interface Identity {
  secret: string
  bus: string
  instance: string
}
