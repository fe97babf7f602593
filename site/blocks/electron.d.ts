// The part of Electron's types that docs/guide/migrating.md shows. Its package would download a browser.
declare module 'electron' {
  interface Sender {
    send(channel: string, ...args: unknown[]): void
  }
  export const ipcMain: {
    handle(channel: string, listener: (event: { sender: Sender }, ...args: any[]) => unknown): void
    on(channel: string, listener: (event: { sender: Sender }, ...args: any[]) => void): void
  }
  export const ipcRenderer: {
    invoke(channel: string, ...args: unknown[]): Promise<any>
    on(channel: string, listener: (event: object, ...args: any[]) => void): void
  }
  export const contextBridge: { exposeInMainWorld(name: string, api: object): void }
}
