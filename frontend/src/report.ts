// A report's form: numbers by tap, what it does shown at once, then as the server says it.
import { offerBeds } from "./offer-beds";

const PART = { "hx-request": "true" };
const QUIET_MS = 250;

export function startReport(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("#quantity")!;
  const button = form.querySelector<HTMLButtonElement>("[data-write]")!;
  button.value = "write"; // what it does is shown beside it, before it is tapped
  form.querySelector("[data-show-again]")?.remove();
  form.querySelector(".step")?.classList.add("has-steps");
  for (const hidden of form.querySelectorAll<HTMLElement>("[data-step], [data-script-only]")) hidden.hidden = false;

  let timer = 0;
  const renew = () => {
    say(form, field, button);
    window.clearTimeout(timer);
    if (quantity(field)) timer = window.setTimeout(() => void preview(form), QUIET_MS);
  };
  const put = (value: number) => {
    field.value = String(Math.max(value, 0) || "");
    renew();
  };
  for (const step of form.querySelectorAll<HTMLElement>("[data-step]")) {
    step.addEventListener("click", () => put(quantity(field) + Number(step.dataset.step)));
  }
  for (const offer of form.querySelectorAll<HTMLElement>("[data-offer]")) {
    offer.addEventListener("click", () => put(Number(offer.dataset.offer)));
  }
  form.addEventListener("input", renew);
  form.addEventListener("change", (event) => {
    summarise(form, event.target as HTMLInputElement);
    renew();
  });
  form.addEventListener("submit", () => window.clearTimeout(timer));
  offerBeds(form);
  say(form, field, button);
}

export function quantity(field: HTMLInputElement): number {
  return /^[0-9]{1,8}$/.test(field.value.trim()) ? Number(field.value.trim()) : 0;
}

function say(form: HTMLFormElement, field: HTMLInputElement, button: HTMLButtonElement): void {
  const n = quantity(field);
  button.disabled = n === 0;
  const shown = n.toLocaleString(document.documentElement.lang);
  button.textContent = n === 0 ? (button.dataset.textPlain ?? button.textContent)
    : n === 1 ? form.dataset.textOne! : form.dataset.textMany!.replace("#", shown);
  for (const offer of form.querySelectorAll<HTMLElement>("[data-offer]")) {
    offer.setAttribute("aria-pressed", String(Number(offer.dataset.offer) === n));
  }
  guess(form, n);
}

// Until the server has said it: what a sum can tell.
function guess(form: HTMLFormElement, n: number): void {
  const place = form.querySelector<HTMLElement>("[data-guess]");
  if (!place || form.dataset.before === undefined) return;
  const after = Number(form.dataset.before) + Number(form.dataset.sign) * n;
  place.hidden = n === 0 || after < 0;
  place.querySelector("[data-guess-after]")!.textContent = after.toLocaleString(document.documentElement.lang);
}

async function preview(form: HTMLFormElement): Promise<void> {
  const fields = new URLSearchParams(new FormData(form) as never);
  fields.set("act", "show");
  if (form.querySelector('[name="to_near"], [name="to"]') && !fields.get("to") && !fields.get("to_near")) return;
  const asked = fields.toString();
  const answer = await fetch(form.action, { method: "POST", headers: PART, body: fields }).catch(() => null);
  if (!answer || answer.redirected) return;
  const now = new URLSearchParams(new FormData(form) as never);
  now.set("act", "show");
  if (now.toString() !== asked) return; // a later answer comes
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of ["[data-problem]", "[data-outcome]"]) {
    const fresh = part.querySelector(name);
    if (fresh) form.querySelector(name)?.replaceChildren(...fresh.childNodes);
  }
  if (!answer.ok) guess(form, 0);
}

// A row says what is chosen in it.
function summarise(form: HTMLFormElement, field: HTMLInputElement | HTMLSelectElement): void {
  const place = form.querySelector(`[data-summary="${field.name}"]`);
  if (!place) return;
  const text = field instanceof HTMLSelectElement ? field.selectedOptions[0]?.textContent : field.value.replace("T", " ");
  place.textContent = text || "—";
}
