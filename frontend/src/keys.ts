// Keys of a page: a letter presses what names it in data-key, unless somebody is typing.

export function followKeys(root: Document): void {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const wanted = event.key.toLowerCase();
    // The review has keys of its own, which know what is open and what is chosen.
    if (wanted !== "/" && root.querySelector("[data-review]")) return;
    const named = [...root.querySelectorAll<HTMLElement>("[data-key]")];
    const element = named.find((each) => each.dataset.key === wanted && isShown(each));
    if (!element) return;
    event.preventDefault();
    if (element.matches("input, textarea, select") && !element.closest("[data-find]")) element.focus();
    else element.click();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

// What lies in closed details is laid out, and not to be seen.
function isShown(element: HTMLElement): boolean {
  const closed = element.closest("details:not([open])");
  const isItsSummary = element.matches("summary") && element.parentElement === closed;
  return element.offsetParent !== null && (closed === null || isItsSummary);
}
