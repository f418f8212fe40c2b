import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf } from "../src/review/figures";
import { Grid } from "../src/review/grid";
import { Marks, type Box, type MarkRead, type Outlines } from "../src/review/marks";
import "./page";

function square(left: number, top: number, side: number): [number, number][] {
  return [[left, top], [left + side, top], [left + side, top + side], [left, top + side]];
}

const OUTLINES: Outlines[] = [{
  position: 1,
  width_px: 800,
  height_px: 600,
  containers: [
    { index: 1, polygon: square(0, 0, 200) },
    { index: 2, polygon: square(50, 50, 50) }, // one in the other
    { index: 3, polygon: square(400, 0, 200) },
  ],
  residual: [square(400, 0, 100)],
}];

function read(detection: number | null, container: number, box: Box, facts: Partial<MarkRead> = {}): MarkRead {
  return {
    detection_id: detection, correction_id: null, container_index: container, position: 1, box,
    is_empty_container: false, removed: false, ...facts,
  };
}

function marks(...all: MarkRead[]): Marks {
  const by = (index: number) => all.filter((m) => m.container_index === index && !m.removed && !m.is_empty_container).length;
  const containers = [1, 2, 3].map((index) => {
    const estimated = index === 3 ? 5 : 0;
    return { index, machine_estimated: estimated, answer: by(index) + estimated, by_marks: by(index) + estimated };
  });
  return new Marks(containers, all, OUTLINES);
}

test("a plant that is added counts one, in the smallest container around it", () => {
  const model = marks(read(7, 1, [10, 10, 20, 20]));
  assert.equal(model.total, 6);
  assert.equal(model.add(1, [60, 60, 70, 70], false)?.container, 2);
  assert.equal(model.total, 7);
  assert.deepEqual(model.edits().add.map((one) => one.container_index), [2]);
});

test("outside of all containers no plant is added", () => {
  const model = marks();
  assert.equal(model.add(1, [300, 300, 310, 310], false), null);
  assert.equal(model.isChanged, false);
});

test("a plant added where plants were only estimated is one of those", () => {
  const model = marks();
  model.add(1, [410, 10, 420, 20], false);
  assert.equal(model.total, 5);
  model.add(1, [550, 150, 560, 160], false);
  assert.equal(model.total, 6);
});

test("an empty place counts nothing and is saved as one", () => {
  const model = marks();
  model.add(1, [10, 10, 20, 20], true);
  assert.equal(model.total, 5);
  assert.equal(model.edits().add[0]?.is_empty_container, true);
});

test("the machine's marks are removed by their id, a person's taken back by the correction's", () => {
  const model = marks(
    read(7, 1, [10, 10, 20, 20]), read(null, 1, [30, 10, 40, 20], { correction_id: 9 }),
  );
  for (const mark of [...model.all]) model.remove(mark);
  assert.deepEqual(model.edits(), { add: [], remove: [7], undo: [9] });
  assert.equal(model.total, 5);
});

test("a mark that is moved is removed and added, and counts the same", () => {
  const model = marks(read(7, 1, [10, 10, 20, 20]));
  assert.ok(model.move(model.all[0]!, [30, 30, 40, 40]));
  assert.deepEqual(model.edits().remove, [7]);
  assert.deepEqual(model.edits().add[0]?.box, [30, 30, 40, 40]);
  assert.equal(model.total, 6);
});

test("each step is undone, the last one first", () => {
  const model = marks(read(7, 1, [10, 10, 20, 20]));
  model.remove(model.all[0]!);
  model.add(1, [60, 60, 70, 70], false);
  model.move(model.all[1]!, [62, 62, 72, 72]);
  for (let step = 0; step < 3; step += 1) assert.ok(model.undo());
  assert.equal(model.undo(), null);
  assert.equal(model.isChanged, false);
  assert.equal(model.total, 6);
});

test("changes are laid on what is there now, without what is not possible any more", () => {
  const mine = marks(read(7, 1, [10, 10, 20, 20]), read(8, 1, [30, 10, 40, 20]));
  for (const mark of [...mine.all]) mine.remove(mark);
  mine.add(1, [60, 60, 70, 70], false);
  const now = marks(
    read(7, 1, [10, 10, 20, 20], { removed: true, correction_id: 3 }), read(8, 1, [30, 10, 40, 20]),
  );
  now.apply(mine.edits());
  assert.deepEqual(now.edits().remove, [8]);
  assert.equal(now.edits().add.length, 1);
});

test("a mark is found at a point, and the next one in a direction", () => {
  const model = marks(
    read(1, 1, [10, 10, 20, 20]), read(2, 1, [100, 12, 110, 22]), read(3, 1, [60, 150, 70, 160]),
  );
  const grid = new Grid(model.all);
  assert.equal(grid.at([15, 15], 0)?.read?.detection_id, 1);
  assert.equal(grid.at([24, 15], 0), null);
  assert.equal(grid.at([24, 15], 6)?.read?.detection_id, 1);
  assert.equal(grid.towards(model.all[0]!, [1, 0])?.read?.detection_id, 2);
  assert.equal(grid.towards(model.all[0]!, [0, 1])?.read?.detection_id, 3);
  model.remove(model.all[1]!);
  assert.equal(grid.at([105, 15], 0), null);
});

test("the sum says what the machine saw and what a person added", () => {
  assert.equal(sumOf(18, 21), "18 + 3 = 21");
  assert.equal(sumOf(18, 15), "18 − 3 = 15");
  assert.equal(sumOf(18, 18), "18");
});
