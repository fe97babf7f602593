export function getChildren(pid: number): number[]
