// Ticking beds: Shift takes all between two, a drag takes those that it crosses, and the button
// says how many. Without this script the boxes and the button work by themselves.

export function startGrowing(form: HTMLFormElement): void {
  const boxes = [...form.querySelectorAll<HTMLInputElement>('input[name="location"]')];
  let last: HTMLInputElement | null = null;
  let drag: { from: HTMLInputElement; checked: boolean } | null = null;

  const say = () => showChosen(form, boxes.filter((box) => box.checked).length);
  form.addEventListener("click", (event) => {
    const box = boxOf(event.target, boxes);
    if (!box) return;
    if (event.shiftKey && last) between(boxes, last, box).forEach((each) => (each.checked = box.checked));
    last = box;
    say();
  });
  form.addEventListener("pointerdown", (event) => {
    const box = event.pointerType === "mouse" ? boxOf(event.target, boxes) : null;
    drag = box && !event.shiftKey ? { from: box, checked: !box.checked } : null;
  });
  form.addEventListener("pointerover", (event) => {
    const box = boxOf(event.target, boxes);
    if (!drag || !box || box === drag.from || event.buttons !== 1) return;
    for (const each of between(boxes, drag.from, box)) each.checked = drag.checked;
    last = box;
    say();
  });
  window.addEventListener("pointerup", () => (drag = null));
  for (const hint of form.querySelectorAll<HTMLElement>("[data-script-only]")) hint.hidden = false;
  say();
}

export function between<Item>(items: readonly Item[], one: Item, other: Item): Item[] {
  const ends = [items.indexOf(one), items.indexOf(other)];
  return items.slice(Math.min(...ends), Math.max(...ends) + 1);
}

function boxOf(target: EventTarget | null, boxes: readonly HTMLInputElement[]): HTMLInputElement | null {
  const tile = target instanceof Element ? target.closest("label.tile") : null;
  return boxes.find((box) => box.parentElement === tile) ?? null;
}

function showChosen(form: HTMLFormElement, chosen: number): void {
  const texts = form.dataset;
  const text = (many?: string, one?: string) =>
    (chosen === 1 ? one : many)?.replace("{n}", String(chosen)) ?? "";
  const title = form.querySelector("[data-chosen-title]");
  if (title) title.textContent = chosen ? text(texts.textChosen, texts.textChosenOne) : texts.textNone ?? "";
  for (const button of form.querySelectorAll("[data-save]")) {
    if (chosen) button.textContent = text(texts.textSave, texts.textSaveOne);
  }
}
