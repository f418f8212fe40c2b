// The page's texts, icons and small pieces of it.

export class Words {
  constructor(private readonly all: Record<string, string>) {}

  say(key: string, values: Record<string, string | number> = {}): string {
    const text = this.all[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (blank, name: string) => String(values[name] ?? blank));
  }

  // Of how many: `key_one` for one.
  many(key: string, n: number): string {
    return n === 1 && this.all[`${key}_one`] ? this.say(`${key}_one`) : this.say(key, { n });
  }
}

export function icon(name: string): Node {
  const kept = document.querySelector<HTMLTemplateElement>(`template[data-icon="${name}"]`);
  return kept ? kept.content.cloneNode(true) : document.createTextNode("");
}

type Part = Node | string | undefined | false;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...parts: Part[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...parts.filter((part): part is Node | string => Boolean(part)));
  return element;
}

export function button(className: string, label: Part[], act: () => void): HTMLButtonElement {
  const made = make("button", className, ...label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

export const chip = (kind: string, name: string, text: string): HTMLElement =>
  make("span", `chip ${kind}`, icon(name), text);
