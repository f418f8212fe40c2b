// A toast goes after ten seconds; while it has the focus or the pointer it waits. What it tells
// came in the address: its words are named by `data-toast`, and a reload does not say them again.
const STAYS_MS = 10_000;

export function startToasts(root: ParentNode): void {
  for (const toast of root.querySelectorAll<HTMLElement>("[data-toast]")) {
    let timer = 0;
    const wait = () => window.clearTimeout(timer);
    const go = () => {
      wait();
      timer = window.setTimeout(() => toast.remove(), STAYS_MS);
    };
    toast.addEventListener("focusin", wait);
    toast.addEventListener("focusout", go);
    toast.addEventListener("pointerenter", wait);
    toast.addEventListener("pointerleave", () => (toast.contains(document.activeElement) ? wait() : go()));
    go();
    forget(toast.dataset.toast!.split(" "));
  }
}

function forget(words: string[]): void {
  const address = new URL(location.href);
  for (const word of words) address.searchParams.delete(word);
  if (address.href !== location.href) history.replaceState(null, "", address);
}
