// Search over the page: opened from its box or icon, walked through with arrows. Without scripts
// the box is a form and the icon a link to the page of search.

export function startSearch(dialog: HTMLDialogElement): void {
  const input = dialog.querySelector<HTMLInputElement>("input")!;
  for (const opener of document.querySelectorAll<HTMLElement>("[data-find]")) {
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      open(opener);
    });
    opener.addEventListener("input", () => open(opener));
  }
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && document.activeElement === input) {
      const first = hits()[0];
      if (!first || input.value.trim() === "") return;
      event.preventDefault();
      first.click();
    }
  });

  function open(opener: HTMLElement): void {
    if (dialog.open) return;
    dialog.showModal();
    const box = opener.querySelector<HTMLInputElement>("input");
    if (box?.value) {
      input.value = box.value;
      box.value = "";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    input.focus();
    input.select();
  }

  function hits(): HTMLElement[] {
    return [...dialog.querySelectorAll<HTMLElement>("[data-hit]")];
  }

  function move(step: number): void {
    const all: HTMLElement[] = [input, ...hits()];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[Math.min(all.length - 1, Math.max(0, at + step))]?.focus();
  }
}
