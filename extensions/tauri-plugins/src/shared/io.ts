// Reading of whole files, and the texts of I/O errors as Rust writes them, which frontends match: `No such file or directory (os error 2)`.
import type { OpenedFile } from '@sallyport/paths/internal'

/** Reads as many bytes as the file had when it was opened: one that grows meanwhile has no end. */
export async function readOpened(
  { handle, size }: Pick<OpenedFile, 'handle' | 'size'>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(bytes, length, size - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length === size ? bytes : bytes.slice(0, length)
}

type ErrorText = readonly [number: number, text: string]

const LINUX: Readonly<Record<string, ErrorText>> = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  EIO: [5, 'Input/output error'],
  ENXIO: [6, 'No such device or address'],
  EBADF: [9, 'Bad file descriptor'],
  EAGAIN: [11, 'Resource temporarily unavailable'],
  ENOMEM: [12, 'Cannot allocate memory'],
  EACCES: [13, 'Permission denied'],
  EBUSY: [16, 'Device or resource busy'],
  EEXIST: [17, 'File exists'],
  EXDEV: [18, 'Invalid cross-device link'],
  ENODEV: [19, 'No such device'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  ENFILE: [23, 'Too many open files in system'],
  EMFILE: [24, 'Too many open files'],
  ETXTBSY: [26, 'Text file busy'],
  EFBIG: [27, 'File too large'],
  ENOSPC: [28, 'No space left on device'],
  ESPIPE: [29, 'Illegal seek'],
  EROFS: [30, 'Read-only file system'],
  EMLINK: [31, 'Too many links'],
  ENAMETOOLONG: [36, 'File name too long'],
  ENOSYS: [38, 'Function not implemented'],
  ENOTEMPTY: [39, 'Directory not empty'],
  ELOOP: [40, 'Too many levels of symbolic links'],
  EOVERFLOW: [75, 'Value too large for defined data type'],
  ENOTSUP: [95, 'Operation not supported'],
  EDQUOT: [122, 'Disk quota exceeded'],
}

const MACOS: Readonly<Record<string, ErrorText>> = {
  ...LINUX,
  ENXIO: [6, 'Device not configured'],
  EAGAIN: [35, 'Resource temporarily unavailable'],
  EBUSY: [16, 'Resource busy'],
  EXDEV: [18, 'Cross-device link'],
  ENODEV: [19, 'Operation not supported by device'],
  ENAMETOOLONG: [63, 'File name too long'],
  ENOSYS: [78, 'Function not implemented'],
  ENOTEMPTY: [66, 'Directory not empty'],
  ELOOP: [62, 'Too many levels of symbolic links'],
  EOVERFLOW: [84, 'Value too large to be stored in data type'],
  ENOTSUP: [45, 'Operation not supported'],
  EDQUOT: [69, 'Disc quota exceeded'],
}

const WINDOWS: Readonly<Record<string, ErrorText>> = {
  EPERM: [5, 'Access is denied.'],
  ENOENT: [2, 'The system cannot find the file specified.'],
  EIO: [1117, 'The request could not be performed because of an I/O device error.'],
  EBADF: [6, 'The handle is invalid.'],
  ENOMEM: [8, 'Not enough memory resources are available to process this command.'],
  EACCES: [5, 'Access is denied.'],
  EBUSY: [32, 'The process cannot access the file because it is being used by another process.'],
  EEXIST: [183, 'Cannot create a file when that file already exists.'],
  EXDEV: [17, 'The system cannot move the file to a different disk drive.'],
  ENOTDIR: [267, 'The directory name is invalid.'],
  EISDIR: [5, 'Access is denied.'],
  EINVAL: [87, 'The parameter is incorrect.'],
  EMFILE: [4, 'The system cannot open the file.'],
  EFBIG: [223, 'The file size exceeds the limit allowed and cannot be saved.'],
  ENOSPC: [112, 'There is not enough space on the disk.'],
  ESPIPE: [25, 'The drive cannot locate a specific area or track on the disk.'],
  EROFS: [19, 'The media is write protected.'],
  EMLINK: [1142, 'An attempt was made to create more links on a file than the file system supports.'],
  ENAMETOOLONG: [206, 'The filename or extension is too long.'],
  ENOTEMPTY: [145, 'The directory is not empty.'],
  ELOOP: [1921, 'The name of the file cannot be resolved by the system.'],
  ENOTSUP: [50, 'The request is not supported.'],
}

/** Returns Rust's text for an error of Node's `fs`. An error with another code keeps its message, but not the paths of the host in it. */
export function toIoText(error: unknown, platform: NodeJS.Platform = process.platform): string {
  if (typeof error === 'string') return error
  const { code, message, syscall }: { code?: unknown; message?: unknown; syscall?: unknown } = Object(error)
  const table = platform === 'win32' ? WINDOWS : platform === 'darwin' ? MACOS : LINUX
  const entry = typeof code === 'string' && Object.hasOwn(table, code) ? table[code] : undefined
  if (entry !== undefined) return `${entry[1]} (os error ${entry[0]})`
  if (typeof message !== 'string') return String(error)
  return typeof syscall === 'string' ? message.split(`, ${syscall}`, 1)[0]! : message
}
