// A toast goes after ten seconds; while it has the focus or the pointer it waits.
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
  }
  // A reload shall not say it again.
  if (root.querySelector("[data-toast]")) history.replaceState(null, "", location.pathname + location.hash);
}
