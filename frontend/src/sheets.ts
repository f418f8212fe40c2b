// A link to a form opens it over the page; its answer stays there until the form is done.
import { startReport } from "./report";
import { offerBeds } from "./offer-beds";

export const PART = { "hx-request": "true" };

export function startSheets(sheet: HTMLDialogElement): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-open-sheet]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      void open(sheet, link.href);
    });
  }
  sheet.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (target !== sheet && !target.closest("[data-close-sheet]")) return;
    event.preventDefault();
    sheet.close();
  });
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(sheet, event.target as HTMLFormElement, event.submitter);
  });
}

async function open(sheet: HTMLDialogElement, address: string): Promise<void> {
  const answer = await fetch(address, { headers: PART }).catch(() => null);
  if (!answer?.headers.get("content-type")?.startsWith("text/html") || answer.redirected) {
    location.assign(address); // the page says what is wrong, or asks for a login
    return;
  }
  show(sheet, await answer.text());
  if (!sheet.open) sheet.showModal();
}

async function send(sheet: HTMLDialogElement, form: HTMLFormElement, by: HTMLElement | null): Promise<void> {
  const fields = new FormData(form, by as HTMLButtonElement | null);
  if (by instanceof HTMLButtonElement) by.disabled = true; // one tap, one answer
  const answer = await fetch(form.action, { method: "POST", headers: PART, body: new URLSearchParams(fields as never) })
    .catch(() => null);
  const there = answer?.headers.get("hx-redirect");
  if (there) {
    location.assign(there);
    return;
  }
  if (!answer) {
    if (by instanceof HTMLButtonElement) by.disabled = false; // no network: it can be sent again, once
    return;
  }
  show(sheet, await answer.text());
}

function show(sheet: HTMLDialogElement, html: string): void {
  const part = new DOMParser().parseFromString(html, "text/html");
  const form = part.querySelector("form.sheet-form");
  sheet.replaceChildren(...(form ? [form] : [...part.body.children]));
  for (const report of sheet.querySelectorAll<HTMLFormElement>("form[data-report]")) startReport(report);
  offerBeds(sheet);
}
