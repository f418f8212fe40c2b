// What is said while one edits: a line for who hears it, a note for who sees it. The words stand
// in the page.
export type Word = "outside" | "failed" | "refused" | "offline" | "drawingFailed" | "crosses" | "notCut" | "alone" | "noBins" | "leaves";

export class Notes {
  constructor(private readonly figure: HTMLElement) {}

  words(key: string): string {
    return this.figure.dataset[`text${key[0]!.toUpperCase()}${key.slice(1)}`] ?? "";
  }

  say(key: Word, stays = false): void {
    const text = this.words(key);
    this.tell(text);
    this.note(text);
    if (!stays) setTimeout(() => this.note(null, text), 4000);
  }

  tell(text: string): void {
    const place = this.figure.querySelector("[data-says]");
    if (place) place.textContent = text;
  }

  // Only takes back what it says itself, where that is named.
  note(text: string | null, only?: string): void {
    const box = this.figure.querySelector<HTMLElement>("[data-edit-note]");
    const words = box?.querySelector("[data-edit-words]");
    if (!box || !words || (only !== undefined && words.textContent !== only)) return;
    words.textContent = text ?? "";
    box.hidden = text === null;
  }
}

export function press(within: ParentNode, which: string, is: (button: HTMLElement) => boolean): void {
  for (const button of within.querySelectorAll<HTMLElement>(which)) {
    button.setAttribute("aria-pressed", String(is(button)));
  }
}
