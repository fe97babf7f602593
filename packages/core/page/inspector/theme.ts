// The theme is the system's, until another is chosen.

const KEY = 'sallyport-theme'

export function watchTheme(): void {
  const root = document.documentElement
  const inputs = [...document.querySelectorAll<HTMLInputElement>('.themes input')]
  const show = (theme: string): void => {
    if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme
    else delete root.dataset['theme']
  }
  const kept = localStorage.getItem(KEY) ?? 'auto'
  for (const input of inputs) {
    if (input.value === kept) input.checked = true
    input.addEventListener('change', () => {
      localStorage.setItem(KEY, input.value)
      show(input.value)
    })
  }
  show(kept)
}
