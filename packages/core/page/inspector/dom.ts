// The few ways in which the page is changed. None of them makes HTML of a text, and nothing is written that is there already: a
// selection stays, and a screen reader is not told twice.

export function byId<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}`)
  return found
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...content)
  return element
}

/** Options with these values. What is chosen stays, where it is still there. */
export function setOptions(select: HTMLSelectElement, values: readonly string[]): void {
  const known = [...select.options].map(({ value }) => value)
  if (known.length === values.length && known.every((value, at) => value === values[at])) return
  const chosen = select.value
  select.replaceChildren(...values.map(value => new Option(value, value)))
  if (values.includes(chosen)) select.value = chosen
}
