import '@sallyport/frontend/worker'
