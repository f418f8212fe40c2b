// The review: keys for everything, and editing on the photo.
import { Editor } from "./review/editor";
import { isTyping, pressKey } from "./review/keys";

const page = document.querySelector<HTMLElement>("[data-review]");
const figure = document.querySelector<HTMLElement>("[data-editor]");
const keys = document.querySelector<HTMLDialogElement>("[data-keys]");
const editor = page && figure ? new Editor(figure, page.dataset.session!) : null;

for (const one of document.querySelectorAll<HTMLElement>(".review [data-script-only]")) one.hidden = false;
void editor?.start();

async function save(accept: boolean): Promise<void> {
  const note = document.querySelector<HTMLInputElement>("[data-note]")?.value.trim() ?? "";
  const saved = await editor!.save(accept, note);
  if (saved?.kind !== "saved" || !page) return;
  const isDone = saved.status === "completed" && page.querySelector("[data-accept], details.act") !== null;
  const told = new URLSearchParams({
    did: isDone ? "correct" : saved.waitsFor && accept ? "still" : "saved",
    of: page.dataset.session!,
    ...(page.dataset.only ? { reason: page.dataset.only } : {}),
  });
  const path = isDone ? page.dataset.next! : `/review/${page.dataset.session}`;
  location.assign(`${path}?${told}`);
}

// What was changed on the photo goes along with the decision.
document.querySelector("[data-accept]")?.closest("form")?.addEventListener("submit", (event) => {
  if (!editor?.isChanged) return;
  event.preventDefault();
  void save(true);
});
document.querySelector("[data-act=correct] > summary")?.addEventListener("click", (event) => {
  if (!editor?.isChanged) return;
  event.preventDefault();
  void save(false);
});
for (const button of document.querySelectorAll<HTMLElement>("[data-correct-button]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (editor?.isChanged) void save(false);
    else document.querySelector<HTMLElement>(".viewer")?.focus();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || keys?.open) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") closeSheets();
    return;
  }
  if (event.key === "Escape" && closeSheets()) return;
  const isOpen = document.querySelector("details.act[open]") !== null;
  const isTaken = (!isOpen && editor?.key(event)) || (!event.altKey && (help(event.key) || pressKey(event.key)));
  if (isTaken) event.preventDefault();
});

function help(key: string): boolean {
  if (key !== "?" || !keys) return false;
  keys.showModal();
  return true;
}

function closeSheets(): boolean {
  const open = document.querySelectorAll<HTMLDetailsElement>("details.act[open]");
  for (const sheet of open) {
    sheet.open = false;
    sheet.querySelector("summary")?.focus();
  }
  return open.length > 0;
}
