void sallyport.invoke('greet', { name: 'World' }).then(greeting => sallyport.emit('greeted', greeting))
