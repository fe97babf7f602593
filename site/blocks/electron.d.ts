// As much of Electron's types as docs/guide/migrating.md shows: its package would download a browser.
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
