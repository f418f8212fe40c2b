// The number pad of a count by hand: digits, the next bin, and at the last one the whole.

export function startHand(form: HTMLFormElement): void {
  const fields = [...form.querySelectorAll<HTMLInputElement>("input[name=plants]")];
  const write = form.querySelector<HTMLButtonElement>("[data-write]")!;
  const total = form.querySelector<HTMLElement>("[data-total]")!;
  const lang = document.documentElement.lang;
  const untold = write.textContent;
  let here = fields[0]!;
  let isNew = true; // the next digit begins the number anew

  const valueOf = (field: HTMLInputElement) => (/^\d+$/.test(field.value) ? Number(field.value) : undefined);
  const isLast = () => here === fields.at(-1);

  function go(field: HTMLInputElement): void {
    here = field;
    isNew = true;
    for (const each of fields) each.classList.toggle("is-here", each === field);
    field.scrollIntoView({ block: "center" });
    say();
  }

  function say(): void {
    const sum = fields.reduce((all, field) => all + (valueOf(field) ?? 0), 0);
    const isAny = fields.some((field) => valueOf(field) !== undefined);
    total.hidden = false;
    total.textContent = isAny ? sum.toLocaleString(lang) : "—";
    const { textNext = "", textWrite = "", textWriteOne = "" } = form.dataset;
    const next = fields[fields.indexOf(here) + 1];
    write.textContent = next
      ? textNext.replace("{bin}", next.dataset.name!.toLowerCase())
      : !isAny ? untold
      : sum === 1 ? textWriteOne : textWrite.replace("{n}", sum.toLocaleString(lang));
    write.disabled = isLast() && !isAny;
  }

  function press(key: string): void {
    if (key === "—") here.value = "—";
    else if (key === "back") here.value = valueOf(here) === undefined ? "" : here.value.slice(0, -1);
    else if (isNew || valueOf(here) === undefined) here.value = key;
    else if (here.value.length < 7) here.value += key;
    isNew = false;
    say();
  }

  function step(field: HTMLInputElement, by: number): void {
    go(field);
    field.value = String(Math.max(0, (valueOf(field) ?? Number(field.dataset.before)) + by));
    say();
  }

  if (matchMedia("(pointer: coarse)").matches) {
    form.classList.add("has-pad");
    form.querySelector<HTMLElement>("[data-pad]")!.hidden = false;
    for (const field of fields) field.inputMode = "none"; // our pad is larger than the phone's keys
  }
  for (const key of form.querySelectorAll<HTMLElement>("[data-digit]")) {
    key.addEventListener("click", () => press(key.dataset.digit!));
  }
  for (const field of fields) {
    field.addEventListener("focus", () => go(field));
    field.addEventListener("input", say);
    for (const [name, by] of [["less", -1], ["more", 1]] as const) {
      const button = field.parentElement!.querySelector<HTMLElement>(`[data-${name}]`)!;
      button.hidden = false;
      button.addEventListener("click", () => step(field, by));
    }
  }
  form.addEventListener("submit", (event) => {
    if (isLast()) return;
    event.preventDefault();
    go(fields[fields.indexOf(here) + 1]!);
  });
  go(here);
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-hand-count]")) startHand(form);
