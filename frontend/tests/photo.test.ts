import assert from "node:assert/strict";
import { before, test } from "node:test";
import { html, page, replaceGlobal, promisesDone } from "./page";
import { pen, strings, viewers, type Viewer } from "./viewer";

const ANSWERS: Record<string, { ok: boolean; body: unknown }> = {
  "/counted": {
    ok: true,
    body: [{
      width_px: 800, height_px: 600,
      containers: [{ index: 3, container_type: "pot", polygon: [[100, 100], [200, 100], [200, 200], [100, 200]] }],
      plants: Array.from({ length: 1234 }, () => [1, 1, 9, 9, 90, 3]),
      empties: [], residual: [],
    }],
  },
  "/none": { ok: true, body: [] },
  "/refused": { ok: false, body: { code: "session_not_found" } },
};

const figure = (url: string) => `<figure data-photo data-detections-url="${url}" data-view-url="/view"
    data-text-touch="two fingers" data-text-scroll="hold Ctrl" data-text-failed="only the still picture">
  <div data-stage><img alt="a bed"></div>
  <div data-layers hidden><input type="checkbox" data-layer="plants" checked>
    <b data-count="plants"></b><b data-count="empties"></b></div>
  <button data-zoom="in"></button><button data-zoom="whole"></button></figure>`;

let figures: HTMLElement[];
let paper: ReturnType<typeof pen>;
let viewer: Viewer;

before(async () => {
  paper = pen();
  page.HTMLCanvasElement.prototype.getContext = (() => paper) as never;
  replaceGlobal("fetch", async (url: string) => ({ ok: ANSWERS[url]!.ok, json: async () => ANSWERS[url]!.body }));
  document.documentElement.lang = "es";
  html(`<main>${Object.keys(ANSWERS).map(figure).join("")}
    <table><tr data-container="3"><td><button data-show="3"></button></td></tr>
    <tr data-container="9"><td><button data-show="9"></button></td></tr></table></main>`);
  figures = [...document.querySelectorAll<HTMLElement>("figure")];
  await import("../src/photo");
  await promisesDone();
  viewer = viewers[0]!;
});

const row = (index: number) => document.querySelector<HTMLElement>(`tr[data-container="${index}"]`)!;

test("only a photo of which something was counted gets a viewer", () => {
  assert.equal(viewers.length, 1);
  assert.equal(viewer.element.parentElement, figures[0]!.querySelector("[data-stage]"));
  assert.equal(viewer.element.getAttribute("aria-label"), "a bed");
});

test("the library finds a style of its own there already, and speaks the page's language", () => {
  assert.ok(document.head.querySelector("[data-openseadragon-mobile-css]"));
  assert.deepEqual(strings, { "GestureHints.Touch": "two fingers", "GestureHints.Scroll": "hold Ctrl" });
});

test("the still picture stays until the photo is drawn", () => {
  const stage = figures[0]!.querySelector<HTMLElement>("[data-stage]")!;
  assert.equal(stage.dataset.ready, undefined);
  viewer.raise("tile-drawn");
  assert.equal(stage.dataset.ready, "true");
  assert.equal(figures[0]!.querySelector<HTMLElement>("[data-layers]")!.hidden, false);
});

test("numbers are written as the page's language writes them", () => {
  const numbers = [...figures[0]!.querySelectorAll("[data-count]")].map((b) => b.textContent);
  assert.deepEqual(numbers, [(1234).toLocaleString("es"), "0"]);
});

test("a layer is taken away by its box", () => {
  const box = figures[0]!.querySelector<HTMLInputElement>("[data-layer]")!;
  paper.calls.length = 0;
  box.checked = false;
  box.dispatchEvent(new Event("change"));
  assert.equal(paper.calls.filter(([name]) => name === "ellipse" || name === "rect").length, 0);
});

test("buttons zoom", () => {
  for (const button of figures[0]!.querySelectorAll<HTMLElement>("[data-zoom]")) button.click();
  assert.deepEqual(viewer.moves, [["zoom", 1.8], ["home"]]);
});

test("a tap on a container marks its row, a tap beside it none, a drag nothing", () => {
  const tap = (x: number, y: number, quick = true) => viewer.raise("canvas-click", { quick, position: { x, y } });
  tap(85, 95); // 150, 150 of the image
  assert.equal(row(3).classList.contains("marked"), true);
  tap(10, 20, false);
  assert.equal(row(3).classList.contains("marked"), true);
  tap(10, 20);
  assert.equal(row(3).classList.contains("marked"), false);
});

test("a row's button shows its container with some room around", () => {
  viewer.element.scrollIntoView = () => undefined;
  row(3).querySelector("button")!.click();
  assert.deepEqual(viewer.moves.at(-1), ["fit", 90, 90, 120, 120]);
  assert.equal(row(3).classList.contains("marked"), true);
  row(9).querySelector("button")!.click(); // no such container in this photo
  assert.equal(row(9).classList.contains("marked"), false);
});

test("where the photo cannot be opened the still picture stays, and that is said", () => {
  viewer.raise("open-failed");
  assert.equal(viewer.element.isConnected, false);
  assert.equal(figures[0]!.querySelector("p.hint")!.textContent, "only the still picture");
});
