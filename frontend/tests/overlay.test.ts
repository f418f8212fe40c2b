import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { html, page, replaceGlobal } from "./page";
import { pen, Viewer, type Pen } from "./viewer";
import { Overlay, type Drawn, type Kind } from "../src/overlay";

type Point = [number, number];

const GREEN = "rgb(64 220 120)";
const BLUE = "rgb(40 150 255)";
const WHITE = "rgb(255 255 255)";
const PINK = "rgb(230 60 200 / 45%)";

function square(left: number, top: number, side: number): Point[] {
  return [[left, top], [left + side, top], [left + side, top + side], [left, top + side]];
}

function counted(facts: Partial<Drawn> = {}): Drawn {
  return { width_px: 800, height_px: 600, containers: [], plants: [], empties: [], residual: [], ...facts };
}

function container(index: number, polygon: Point[]) {
  return { index, container_type: "pot", polygon };
}

let paper: Pen & Record<string, unknown>;
let viewer: Viewer;

beforeEach(() => {
  paper = pen();
  replaceGlobal("requestAnimationFrame", (draw: FrameRequestCallback) => (draw(0), 0)); // at once
  replaceGlobal("cancelAnimationFrame", () => undefined);
  page.HTMLCanvasElement.prototype.getContext = (() => paper) as never;
  viewer = new Viewer({ element: html<HTMLElement>("<div></div>") });
});

function overlayOf(facts: Partial<Drawn>): Overlay {
  return new Overlay(viewer as never, counted(facts));
}

function calls(name: string): unknown[][] {
  return paper.calls.filter(([called]) => called === name).map(([, ...words]) => words);
}

function redraw(act: () => void): void {
  paper.calls.length = 0;
  paper.strokes.length = 0;
  act();
}

test("nothing counted draws nothing and has no container anywhere", () => {
  const overlay = overlayOf({});
  assert.deepEqual(calls("ellipse"), []);
  assert.equal(overlay.containerAt(5, 5), null);
});

test("a plant is drawn where the viewer shows it", () => {
  overlayOf({ plants: [[100, 100, 140, 160, 90, 1]] });
  assert.deepEqual(calls("ellipse"), [[70, 85, 10, 15, 0, 0, Math.PI * 2]]);
  assert.ok(paper.strokes.includes(GREEN));
});

test("a plant too small to have a shape is a dot, one out of view is not drawn", () => {
  overlayOf({ plants: [[100, 100, 104, 104, 90, 1], [2000, 100, 2040, 140, 90, 1]] });
  assert.deepEqual(calls("ellipse"), []);
  assert.deepEqual(calls("rect"), [[60, 70, 2, 2]]);
});

test("an empty place is square", () => {
  overlayOf({ empties: [[100, 100, 140, 140, 90, 1]] });
  assert.deepEqual(calls("rect"), [[60, 70, 20, 20]]);
});

test("the canvas is as dense as the screen, to two pixels a point", () => {
  page.devicePixelRatio = 3 as never;
  overlayOf({});
  page.devicePixelRatio = 1 as never;
  const canvas = viewer.canvas.querySelector("canvas")!;
  assert.deepEqual([canvas.width, canvas.height], [800, 600]);
  assert.deepEqual(calls("setTransform").at(-1), [2, 0, 0, 2, 0, 0]);
});

test("each layer can be taken away and brought back", () => {
  const overlay = overlayOf({
    plants: [[100, 100, 140, 140, 90, 1]],
    empties: [[200, 100, 240, 140, 90, 1]],
    residual: [square(0, 0, 50)],
    containers: [container(1, square(0, 0, 300))],
  });
  const colours: [Kind, string][] = [
    ["plants", GREEN], ["empties", "rgb(255 170 40)"], ["residual", PINK], ["containers", BLUE],
  ];
  for (const [layer, colour] of colours) {
    redraw(() => overlay.show(layer, false));
    assert.ok(!paper.strokes.includes(colour), layer);
    redraw(() => overlay.show(layer, true));
    assert.ok(paper.strokes.includes(colour), layer);
  }
});

test("what the viewer moves is drawn again", () => {
  overlayOf({ plants: [[100, 100, 140, 140, 90, 1]] });
  viewer.shift.x += 5;
  redraw(() => viewer.raise("update-viewport"));
  assert.equal(calls("ellipse").length, 1);
});

test("while the photo moves, what is drawn moves along and is drawn anew when it stands", () => {
  overlayOf({ plants: [[100, 100, 140, 140, 90, 1]] });
  viewer.raise("animation-start");
  viewer.shift.x += 5;
  redraw(() => viewer.raise("update-viewport"));
  assert.deepEqual(calls("ellipse"), []);
  assert.deepEqual(calls("drawImage").map(([, ...place]) => place), [[5, 0, 400, 300]]);
  redraw(() => viewer.raise("animation-finish"));
  assert.deepEqual(calls("ellipse"), [[75, 80, 10, 10, 0, 0, Math.PI * 2]]);
});

test("thousands of plants are drawn a few at a time", () => {
  const frames: FrameRequestCallback[] = [];
  replaceGlobal("requestAnimationFrame", (draw: FrameRequestCallback) => frames.push(draw));
  let now = 0;
  mock.method(performance, "now", () => (now += 5)); // every step takes longer than a slice
  overlayOf({ plants: Array.from({ length: 200 }, (_, at) => [at, 0, at + 40, 40, 90, 1]) });
  const drawnAfter: number[] = [];
  for (let draw = frames.shift(); draw; draw = frames.shift()) {
    draw(0);
    drawnAfter.push(calls("ellipse").length);
  }
  mock.restoreAll();
  assert.deepEqual(drawnAfter, [0, 60, 120, 180, 200, 200]);
});

test("of containers that lie in one another the smallest around a point is meant", () => {
  const overlay = overlayOf({
    containers: [container(1, square(0, 0, 400)), container(2, square(100, 100, 50)), container(3, square(500, 0, 90))],
  });
  assert.equal(overlay.containerAt(120, 120), 2);
  assert.equal(overlay.containerAt(50, 50), 1);
  assert.equal(overlay.containerAt(590 - 1, 1), 3);
  assert.equal(overlay.containerAt(450, 450), null);
});

test("the hollow of a bent container is outside of it", () => {
  const bent: Point[] = [[0, 0], [90, 0], [90, 90], [60, 90], [60, 30], [30, 30], [30, 90], [0, 90]];
  const overlay = overlayOf({ containers: [container(1, bent)] });
  assert.equal(overlay.containerAt(45, 60), null);
  assert.equal(overlay.containerAt(15, 60), 1);
  assert.equal(overlay.containerAt(75, 60), 1);
});

test("the one that is selected stands out and has its number however small it is", () => {
  const overlay = overlayOf({ containers: [container(4, square(0, 0, 20)), container(5, square(100, 0, 300))] });
  assert.deepEqual(calls("fillText").map(([text]) => text), ["5"]);
  redraw(() => overlay.select(4));
  assert.ok(paper.strokes.includes(WHITE));
  assert.deepEqual(calls("fillText").map(([text]) => text), ["4"]);
  redraw(() => overlay.select(null));
  assert.ok(!paper.strokes.includes(WHITE));
});
