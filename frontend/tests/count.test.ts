import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "./page";
import { after, nearest, search, type Bed } from "../src/count/beds";
import { inherit, shifted, type Row } from "../src/count/desk";
import { startHand } from "../src/count/hand";
import { faultOf, sharpness, type Grey } from "../src/count/quality";
import { Words } from "../src/count/words";

const bed = (n: number, area = "Norte", house = 1): Bed => ({
  code: `NAVE${house}-${area.toUpperCase()}-C0${n}`,
  name: `Claro ${n}`,
  place: `Nave ${house} · ${area}`,
  product: "Echeveria elegans",
  qr: `QR-${house}${area}${n}`,
  last: null,
  lastAt: null,
  ring: [[n, 0], [n + 0.5, 0], [n + 0.5, 1], [n, 1], [n, 0]],
});
const BEDS = [1, 2, 3, 8].map((n) => bed(n)).concat([bed(8, "Sur"), bed(8, "Norte", 2), { ...bed(1), code: "Z", name: "Cañón 80" }]);

for (const [typed, codes] of [
  ["claro 8", ["NAVE1-NORTE-C08", "NAVE1-SUR-C08", "NAVE2-NORTE-C08"]],
  ["n1 norte 8", ["NAVE1-NORTE-C08"]],
  ["N1 NOR 8", ["NAVE1-NORTE-C08"]],
  ["nave1-sur-c08", ["NAVE1-SUR-C08"]],
  ["canon", ["Z"]],
  ["9", []],
] as [string, string[]][]) {
  test(`"${typed}" is found`, () => {
    assert.deepEqual(search(BEDS, typed).map((each) => each.code), codes);
  });
}

test("the next bed is that of the walk; after the last there is none", () => {
  assert.equal(after(BEDS, BEDS[0]!.code), BEDS[1]);
  assert.equal(after(BEDS, "Z"), undefined);
  assert.equal(after(BEDS, "gone"), BEDS[0]);
});

test("where one stands is inside a bed, or so many metres beside it", () => {
  assert.deepEqual(nearest(BEDS, 1.25, 0.5, 1).map(({ bed: { name }, metres }) => [name, metres]), [["Claro 1", 0]]);
  const [beside] = nearest(BEDS, 1.50001, 0.0, 1);
  assert.ok(beside!.metres > 1 && beside!.metres < 1.2, String(beside!.metres));
});

function picture(value: (x: number, y: number) => number): Grey {
  const values = Uint8Array.from({ length: 64 * 64 }, (_, i) => value(i % 64, Math.floor(i / 64)));
  return { width: 64, height: 64, values };
}
const random = (x: number, y: number) => 60 + ((((x + 1) * 73_856_093) ^ ((y + 1) * 19_349_663)) >>> 7) % 128;
const wave = (x: number) => 120 + 50 * Math.sin(x / 6);

test("detail is sharp; smoothed, or moved one way, it is not; nor is an empty wall", () => {
  assert.equal(faultOf(picture(random), 3000), undefined);
  assert.equal(faultOf(picture((x, y) => (wave(x) + wave(y)) / 2), 3000), "blurred");
  assert.equal(faultOf(picture((x, y) => (wave(x) + random(0, y)) / 2), 3000), "blurred");
  assert.equal(faultOf(picture(() => 120), 3000), "blurred");
  assert.ok(sharpness(picture(random)) > 3);
});

test("night, glare and few pixels are told", () => {
  assert.equal(faultOf(picture((x, y) => random(x, y) / 6), 3000), "dark");
  assert.equal(faultOf(picture(() => 250), 3000), "glaring");
  assert.equal(faultOf(picture(random), 800), "small");
});

const row = (name: string, at?: Bed, isLabel = false): Row => ({
  shot: { name } as Row["shot"], bed: at, how: "", isLabel, isTicked: false,
});

test("a label shot alone names the photos after it, up to the next", () => {
  const rows = [row("0"), row("1", BEDS[0], true), row("2"), row("3"), row("4", BEDS[1], true), row("5"), row("6", BEDS[3])];
  inherit(rows, new Words({ by_label_of: "of {name}" }));
  assert.deepEqual(rows.map((each) => each.bed?.name), [undefined, "Claro 1", "Claro 1", "Claro 1", "Claro 2", "Claro 2", "Claro 8"]);
  assert.equal(rows[3]!.how, "of 1");
});

test("ticked rows are shifted together, and not beyond the walk's ends", () => {
  const rows = [row("1", BEDS[1]), row("2", BEDS[2]), row("3", BEDS[3])];
  rows[0]!.isTicked = rows[1]!.isTicked = true;
  const moves = shifted(rows, BEDS, -1)!;
  assert.deepEqual([...moves.values()].map((each) => each.name), ["Claro 1", "Claro 2"]);
  assert.equal(moves.has(rows[2]!), false);
  assert.equal(shifted(rows, BEDS, -2), undefined);
});

const HAND = `<form data-text-next="Siguiente: {bin}" data-text-write="Anotar {n} plantas" data-text-write-one="Anotar 1 planta">
  ${[1, 2].map((n) => `<div><button type="button" data-less></button><input name="plants" data-name="Cajón ${n}" data-before="40"><button type="button" data-more></button></div>`).join("")}
  <div data-pad>${[..."0123456789", "—", "back"].map((d) => `<button type="button" data-digit="${d}"></button>`).join("")}</div>
  <b data-total></b><button data-write></button></form>`;

test("the pad fills bin after bin, and the last says what is written", () => {
  document.documentElement.lang = "es";
  Object.assign(globalThis, { matchMedia: () => ({ matches: true }) });
  const form = html<HTMLFormElement>(HAND);
  for (const field of form.querySelectorAll("input")) field.scrollIntoView = () => undefined;
  startHand(form);
  const write = form.querySelector<HTMLButtonElement>("[data-write]")!;
  const press = (keys: string[]) => keys.forEach((key) => form.querySelector<HTMLElement>(`[data-digit="${key}"]`)!.click());
  assert.equal(write.textContent, "Siguiente: cajón 2");
  press(["4", "6", "back", "5"]);
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  press(["—"]);
  assert.equal(write.textContent, "Anotar 45 plantas");
  press(["7", "9"]);
  assert.equal(form.querySelector("[data-total]")!.textContent, "124");
  assert.deepEqual([...form.querySelectorAll("input")].map((field) => field.value), ["45", "79"]);
  form.querySelectorAll<HTMLElement>("[data-more]")[0]!.click();
  assert.equal(form.querySelectorAll("input")[0]!.value, "46");
});
