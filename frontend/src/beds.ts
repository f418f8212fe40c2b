// The page of a bed, and the list of beds: sheets over the page, months that open, tiles by arrow
// keys. Without this script each of them is a page or a link.
import { startReport } from "./report";
import { startSheets } from "./sheets";
import { startTiles } from "./tiles";

for (const link of document.querySelectorAll<SVGAElement>("[data-opens]")) {
  link.addEventListener("click", (event) => {
    const month = document.getElementById(link.dataset.opens!) as HTMLDetailsElement | null;
    if (!month) return;
    event.preventDefault();
    month.open = true;
    for (const other of document.querySelectorAll("[data-opens]")) other.classList.toggle("is-on", other === link);
    month.scrollIntoView({ block: "nearest" });
    month.querySelector("summary")?.focus({ preventScroll: true });
  });
}
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
  button.hidden = !navigator.clipboard; // only over TLS and on this machine
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy!);
    button.setAttribute("aria-label", button.dataset.textCopied!);
  });
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-report]")) startReport(form);
for (const sheet of document.querySelectorAll<HTMLDialogElement>("dialog[data-sheet]")) startSheets(sheet);
for (const map of document.querySelectorAll<HTMLElement>("[data-tiles]")) startTiles(map);
