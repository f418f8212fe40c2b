import assert from "node:assert/strict";
import { before, test } from "node:test";
import { html, page, replaceGlobal, promisesDone } from "./page";
import { tilesOf } from "../src/viewer";
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
  "/view": { ok: true, body: null },
  "/none": { ok: true, body: [] },
  "/screen": { ok: true, body: null },
  "/gone": { ok: false, body: null },
  "/refused": { ok: false, body: { code: "session_not_found" } },
};

const figure = (url: string, screen = "/screen") => `<figure data-photo data-detections-url="${url}"
    data-view-url="/view" data-screen-url="${screen}"
    data-text-touch="two fingers" data-text-scroll="hold Ctrl" data-text-failed="only the still picture">
  <div data-stage><img alt="a bed" width="800" height="600"></div>
  <div data-layers hidden><input type="checkbox" data-layer="plants" checked>
    <b data-count="plants"></b><b data-count="empties"></b></div>
  <button data-zoom="in"></button><button data-zoom="whole"></button></figure>`;

const SCREEN = { width: 200, height: 150 };
const WHOLE = { width: 800, height: 600 };
const asked: string[] = [];
let figures: HTMLElement[];
let paper: ReturnType<typeof pen>;
let viewer: Viewer;

before(async () => {
  paper = pen();
  page.HTMLCanvasElement.prototype.getContext = (() => paper) as never;
  replaceGlobal("fetch", async (url: string) => {
    asked.push(url);
    return { ok: ANSWERS[url]!.ok, status: ANSWERS[url]!.ok ? 200 : 404, json: async () => ANSWERS[url]!.body, blob: async () => url };
  });
  replaceGlobal("createImageBitmap", async (url: string) => (url === "/screen" ? SCREEN : WHOLE));
  replaceGlobal("requestAnimationFrame", (draw: FrameRequestCallback) => (draw(0), 0));
  replaceGlobal("cancelAnimationFrame", () => undefined);
  document.documentElement.lang = "es";
  html(`<main>${["/counted", "/none", "/refused"].map((url) => figure(url)).join("")}${figure("/counted", "/gone")}
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
  assert.equal(figures[3]!.querySelector(".viewer"), null);
  assert.equal(figures[3]!.querySelector("p.hint")!.textContent, "only the still picture");
});

interface Source {
  minLevel: number;
  maxLevel: number;
  downloadTileStart(job: unknown): Promise<void>;
}

// What one tile is cut from, and to which size.
async function cut(level: number, x: number, y: number): Promise<unknown[]> {
  const source = viewer.options.tileSources as Source;
  paper.calls.length = 0;
  let canvas: unknown = null;
  const job = { tile: { level, x, y }, finish: (pen: unknown) => { canvas = pen; }, fail: assert.fail };
  await source.downloadTileStart(job);
  assert.equal(canvas, paper);
  return paper.calls.find(([name]) => name === "drawImage")!.slice(1);
}

test("tiles are cut from the copy for screens, and from the whole photo for who looks nearer", async () => {
  const source = viewer.options.tileSources as Source;
  assert.deepEqual([source.minLevel, source.maxLevel], [9, 10]);
  assert.ok(!asked.includes("/view"));
  assert.deepEqual(await cut(10, 1, 1), [WHOLE, 512, 512, 288, 88, 0, 0, 288, 88]);
  assert.ok(asked.includes("/view"));
  assert.deepEqual(await cut(8, 0, 0), [SCREEN, 0, 0, 200, 150, 0, 0, 200, 150]);
});

test("a photo that cannot be had in whole is asked for again with the next tile", async () => {
  const fresh = await tilesOf({ width: 800, height: 600, screen: "/screen", view: "/gone" });
  const told: string[] = [];
  const job = { tile: { level: 10, x: 0, y: 0 }, finish: assert.fail, fail: (why: string) => told.push(why) };
  await (fresh as Source).downloadTileStart(job);
  await (fresh as Source).downloadTileStart(job);
  assert.deepEqual(told, ["Error: /gone: 404", "Error: /gone: 404"]);
});
