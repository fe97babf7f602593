// The theme switch, and printing: all that the page does by script beside the line charts.
{
  const root = document.documentElement
  const switches = document.querySelector('.themes')

  // A page opened from a file may have no storage.
  const remembered = {
    get: () => {
      try {
        return localStorage.getItem('sallyport-theme')
      } catch {
        return null
      }
    },
    set: theme => {
      try {
        localStorage.setItem('sallyport-theme', theme)
      } catch {}
    },
  }

  const show = theme => {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    else delete root.dataset.theme
    document.dispatchEvent(new Event('theme'))
  }

  const chosen = switches.querySelector(
    `[value="${remembered.get() === 'light' || remembered.get() === 'dark' ? remembered.get() : 'auto'}"]`,
  )
  chosen.checked = true
  show(chosen.value)
  switches.hidden = false
  switches.addEventListener('change', ({ target }) => {
    remembered.set(target.value)
    show(target.value)
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    document.dispatchEvent(new Event('theme')),
  )

  // On a narrow screen the contents would hide what they lead to.
  if (innerWidth < 1100) document.querySelector('nav details').open = false

  // Paper is white, and nobody can unfold it.
  let folded = []
  let before
  addEventListener('beforeprint', () => {
    before = root.dataset.theme
    folded = [...document.querySelectorAll('details.more:not([open])')]
    for (const details of folded) details.open = true
    show('light')
  })
  addEventListener('afterprint', () => {
    for (const details of folded) details.open = false
    show(before)
  })
}
