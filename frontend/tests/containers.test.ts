import assert from "node:assert/strict";
import { test } from "node:test";
import { Containers, type ContainerRead } from "../src/review/containers";
import { CutLine } from "../src/review/cut-line";
import { area, centroid, cut, distance, hull, isSimple, join, type Outline } from "../src/review/outline";
import "./page";

function box(x1: number, y1: number, x2: number, y2: number): Outline {
  return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
}

function shape(index: number, outline: Outline, facts: Partial<ContainerRead> = {}): ContainerRead {
  return { index, position: 1, container_type: "segment", outline, bin_id: null, is_chosen: false, ...facts };
}

function three(): Containers {
  return new Containers([shape(1, box(0, 0, 100, 100)), shape(2, box(100, 0, 200, 100)), shape(3, box(20, 20, 60, 60))]);
}

test("a line cuts an outline in two, the left part first, and loses nothing", () => {
  const parts = cut(box(0, 0, 100, 50), [70, -10], [70, 60])!;
  assert.deepEqual(parts.map(area), [3500, 1500]);
  assert.equal(cut(box(0, 0, 100, 50), [200, -10], [200, 60]), null);
  assert.equal(cut(box(0, 0, 100, 50), [50, 20], [50, 20]), null);
});

test("of a bent outline only the arm between the two points is cut", () => {
  const bent: Outline = [[0, 0], [100, 0], [100, 100], [70, 100], [70, 30], [30, 30], [30, 100], [0, 100]];
  const parts = cut(bent, [75, 60], [95, 60])!;
  assert.deepEqual(parts.map(area).sort((a, b) => a - b), [30 * 40, area(bent) - 30 * 40]);
  assert.ok(parts.every(isSimple));
});

test("two outlines become one over the edges that face each other", () => {
  assert.equal(area(join(box(0, 0, 100, 100), box(110, 0, 200, 100))), 20000);
  assert.equal(area(join(box(0, 0, 100, 100), box(100, 0, 200, 100))), 20000);
  const across = join(box(0, 0, 100, 100), box(40, 40, 200, 100)); // they overlap
  assert.ok(isSimple(across) && area(across) >= 10000);
});

test("an outline that crosses itself is none", () => {
  assert.ok(isSimple(box(0, 0, 10, 10)));
  assert.ok(!isSimple([[0, 0], [10, 10], [10, 0], [0, 10]]));
  assert.ok(!isSimple([[0, 0], [10, 10], [20, 20]]));
  assert.ok(!isSimple([[0, 0], [10, 0]]));
});

test("middle, distance and hull of an outline", () => {
  assert.deepEqual(centroid(box(0, 0, 10, 20)), [5, 10]);
  assert.equal(distance(box(0, 0, 10, 10), 13, 5), 3);
  assert.equal(area(hull([[0, 0], [10, 0], [5, 5], [10, 10], [0, 10]])), 100);
});

test("a container is split, its parts come from it, and each step is taken back", () => {
  const all = three();
  const [left, right] = all.split(all.all[1]!, [150, -5], [150, 105])!;
  assert.deepEqual([left!.former, right!.former], [[2], [2]]);
  assert.deepEqual(all.body().map((one) => one.former), [[1], [2], [2], [3]]);
  all.retype(right!, "pot");
  assert.equal(all.all[2]!.type, "pot");
  assert.equal(all.undo()?.type, "segment");
  assert.equal(all.undo()?.former[0], 2);
  assert.equal(all.undo(), undefined);
  assert.equal(all.isChanged, false);
});

test("merged containers come from both, and an own way back to what was is no change", () => {
  const all = three();
  const one = all.merge(all.all[0]!, all.all[1]!);
  assert.deepEqual([one.former, all.all.length, all.isChanged], [[1, 2], 2, true]);
  const other = three();
  other.retype(other.retype(other.all[0]!, "box"), "segment");
  assert.equal(other.isChanged, false);
});

test("the smallest container around a point, and those that are as they were", () => {
  const all = three();
  assert.equal(all.around(1, [30, 30])?.former[0], 3);
  assert.equal(all.around(2, [30, 30]), null);
  all.reshape(all.all[0]!, box(0, 0, 100, 90));
  assert.deepEqual([...all.unchanged], [2, 3]);
  assert.equal(all.reshape(all.all[0]!, [[0, 0], [9, 9], [9, 0], [0, 9]]), null);
});

test("one of before is one container at a time", () => {
  const all = three();
  all.sameBin(all.all[0]!, 7);
  all.sameBin(all.all[1]!, 7);
  assert.deepEqual(all.body().map((one) => one.bin_id), [null, 7, null]);
});

test("what is kept is laid on the containers again", () => {
  const all = three();
  all.retype(all.all[0]!, "box");
  const again = three();
  again.apply(all.body());
  assert.deepEqual([again.isChanged, again.body()], [true, all.body()]);
});

test("a line is proposed across the longer side, moved and turned", () => {
  const one = new Containers([shape(1, box(0, 0, 200, 100))]).all[0]!;
  const line = new CutLine(one);
  const [from, to] = line.ends;
  assert.ok(Math.abs(from[0] - 100) < 1e-6 && Math.abs(to[0] - 100) < 1e-6);
  line.shift([1, 0], true);
  assert.ok(Math.abs(line.ends[0][0] - 120) < 1e-6);
  line.turn([1, 0]);
  assert.ok(Math.abs(line.ends[0][0] - line.ends[1][0]) > 10);
  assert.equal(line.click([1, 1]), null);
  assert.deepEqual(line.click([2, 2]), [[1, 1], [2, 2]]);
});
