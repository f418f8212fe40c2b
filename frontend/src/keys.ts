// Keys of a page: a letter presses what names it in data-key, unless somebody is typing.

export function followKeys(root: Document): void {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const wanted = event.key.toLowerCase();
    const named = [...root.querySelectorAll<HTMLElement>("[data-key]")];
    const element = named.find((each) => each.dataset.key === wanted && each.offsetParent !== null);
    if (!element) return;
    event.preventDefault();
    if (element.matches("input, textarea, select") && !element.closest("[data-find]")) element.focus();
    else element.click();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
