// A process that answers and loads nothing: the reference of frontends in processes.
process.on('message', message => process.send?.(message))
