import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { html, page, promisesDone, replaceGlobal } from "./page";
import { quantity, startReport } from "../src/report";
import { neighbour } from "../src/tiles";
import { startToasts } from "../src/toast";

for (const name of ["HTMLSelectElement", "HTMLInputElement", "DOMParser", "Element"] as const) {
  replaceGlobal(name, page[name]);
}

document.documentElement.lang = "es";

const MAP = `<div>
  <div class="strip"><a class="bt" href="/beds/A">1</a><a class="bt" href="/beds/B">2</a><a class="bt" href="/beds/C">3</a></div>
  <details><div class="strip"><a class="bt" href="/beds/X">1</a></div></details>
  <div class="strip"><a class="bt" href="/beds/D">1</a><a class="bt" href="/beds/E">2</a></div></div>`;

test("arrows walk along a strip, on to the next, and step over what is folded", () => {
  const map = html(MAP);
  const at = (code: string) => map.querySelector<HTMLAnchorElement>(`[href="/beds/${code}"]`)!;
  const to = (code: string, key: string) => neighbour(map, at(code), key)?.getAttribute("href") ?? null;
  assert.equal(to("A", "ArrowRight"), "/beds/B");
  assert.equal(to("C", "ArrowRight"), "/beds/D");
  assert.equal(to("D", "ArrowLeft"), "/beds/C");
  assert.equal(to("C", "ArrowDown"), "/beds/E");
  assert.equal(to("E", "ArrowUp"), "/beds/B");
  assert.equal(to("A", "ArrowLeft"), null);
  assert.equal(to("A", "x"), null);
});

const REPORT = `<form action="/beds/A/deaths" data-report data-sign="-1" data-before="96" data-text-one="Anotar 1 muerte" data-text-many="Anotar # muertes">
  <div class="step"><button type="button" data-step="-1" hidden>−</button><input id="quantity" name="quantity" required><button type="button" data-step="1" hidden>+</button></div>
  <button type="button" data-offer="5">5</button>
  <div data-problem></div>
  <div data-outcome><div data-guess hidden><span data-guess-after></span></div></div>
  <button data-write value="show" data-text-plain="Anotar">Ver cómo queda</button></form>`;

test("a tap on a number says what the button does and what the bed will hold", () => {
  const form = html<HTMLFormElement>(REPORT);
  startReport(form);
  const write = form.querySelector<HTMLButtonElement>("[data-write]")!;
  assert.equal(write.value, "write");
  assert.equal(write.disabled, true);
  form.querySelector<HTMLElement>("[data-offer]")!.click();
  assert.equal(write.textContent, "Anotar 5 muertes");
  assert.equal(write.disabled, false);
  assert.equal(form.querySelector("[data-guess-after]")!.textContent, "91");
  form.querySelector<HTMLInputElement>("#quantity")!.value = "5";
  form.querySelector<HTMLElement>('[data-step="-1"]')!.click();
  assert.equal(write.textContent, "Anotar 4 muertes");
});

test("a report that needs a reason waits for it", () => {
  const form = html<HTMLFormElement>(REPORT.replace("<div data-problem>", '<input name="reason" required><div data-problem>'));
  startReport(form);
  form.querySelector<HTMLElement>("[data-offer]")!.click();
  assert.equal(form.querySelector<HTMLButtonElement>("[data-write]")!.disabled, true);
});

test("what is no number of plants is none", () => {
  const field = html<HTMLInputElement>("<input>");
  for (const [typed, is] of [["5", 5], [" 12 ", 12], ["1.000", 0], ["-3", 0], ["", 0], ["mil", 0]] as const) {
    field.value = typed;
    assert.equal(quantity(field), is);
  }
});

test("a toast stays while it has the focus, and goes ten seconds after", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const addresses: string[] = [];
  replaceGlobal("history", { replaceState: (_: unknown, __: string, to: URL) => addresses.push(to.href) });
  replaceGlobal("location", { href: "http://localhost/beds/A?photo=2&done=7#photo" });
  page.setTimeout = globalThis.setTimeout as never;
  page.clearTimeout = globalThis.clearTimeout as never;
  const root = html("<div><div data-toast='done'><button>Deshacer</button></div></div>");
  startToasts(root);
  assert.deepEqual(addresses, ["http://localhost/beds/A?photo=2#photo"]);
  root.querySelector("button")!.dispatchEvent(new page.Event("focusin", { bubbles: true }) as never);
  mock.timers.tick(60_000);
  assert.ok(root.querySelector("[data-toast]"));
  root.querySelector("button")!.dispatchEvent(new page.Event("focusout", { bubbles: true }) as never);
  mock.timers.tick(9_000);
  assert.ok(root.querySelector("[data-toast]"));
  mock.timers.tick(2_000);
  assert.equal(root.querySelector("[data-toast]"), null);
  mock.timers.reset();
  await promisesDone();
});
