// Plants and empty places: chosen, added, removed and moved, by hand and by keyboard.
import { overlap } from "./grid";
import { middle, type Box, type Mark, type Point } from "./marks";
import type { Notes } from "./notes";
import { fill, plain } from "./numbers";
import type { Scene } from "./scene";

export type MarkChange = "added" | "removed" | "moved" | "undone";

const SLACK_PX = 6; // on the screen: how far from a mark a click may be
const PLANT_PX = 40; // of the photo, where there is no other plant to be like

export class MarkTool {
  pointer: Point | null = null;
  private usual: Point | null = null; // how large plants are on this photo
  private pressed: { mark: Mark; before: Box; at: Point } | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly notes: Notes,
    private readonly edited: (what: MarkChange) => void,
  ) {}

  get selected(): Mark | null {
    return this.scene.canvas.selected;
  }

  // Another photo, or other marks.
  renew(): void {
    this.usual = null;
    this.scene.canvas.selected = null;
  }

  select(mark: Mark | null): void {
    const { canvas, grid } = this.scene;
    canvas.selected = mark;
    canvas.again();
    if (!mark) return;
    const shown = grid.marks.filter((one) => !one.removed);
    const n = String(shown.indexOf(mark) + 1);
    this.notes.tell(fill(this.notes.words("mark"), { n, total: plain(shown.length) }));
    this.scene.bringIntoView(middle(mark.box));
  }

  go(arrow: Point): boolean {
    const from = this.selected;
    const next = from ? this.scene.grid.towards(from, arrow) : this.scene.grid.nearest(this.scene.centre());
    if (next) this.select(next);
    return next !== null || from !== null;
  }

  shift([dx, dy]: Point, isFar: boolean): boolean {
    const mark = this.selected;
    if (!mark) return false;
    const [x1, y1, x2, y2] = mark.box;
    const step = Math.max(1, (x2 - x1) / (isFar ? 2 : 10));
    const box: Box = [x1 + dx * step, y1 + dy * step, x2 + dx * step, y2 + dy * step];
    const before = mark.box;
    if (this.scene.within(box) && this.scene.marks.move(mark, box)) this.redraw("moved", mark, [before, box]);
    else this.notes.say("outside");
    return true;
  }

  remove(): boolean {
    const mark = this.selected;
    if (!mark) return false;
    this.scene.marks.remove(mark);
    this.redraw("removed", mark, [mark.box]);
    this.select(this.scene.grid.nearest(middle(mark.box)));
    return true;
  }

  undo(): boolean {
    const undone = this.scene.marks.undo();
    if (!undone) return false;
    this.redraw("undone", undone.mark, undone.boxes);
    this.select(undone.mark.removed ? null : undone.mark);
    return true;
  }

  // A key puts it where the pointer is, else into a free place beside the selected mark.
  put(isEmpty: boolean): boolean {
    const at = this.pointer ?? this.freePlace();
    if (at) this.addAt(at, isEmpty);
    else this.notes.say("outside");
    return true;
  }

  addAt([x, y]: Point, isEmpty: boolean): void {
    const { marks, position } = this.scene;
    const [width, height] = this.usualSize();
    const photo = marks.outline(position)!;
    const left = Math.min(Math.max(0, x - width / 2), photo.width_px - width);
    const top = Math.min(Math.max(0, y - height / 2), photo.height_px - height);
    const mark = marks.add(position, [left, top, left + width, top + height], isEmpty);
    if (!mark) return this.notes.say("outside");
    this.redraw("added", mark, [mark.box]);
    this.select(mark);
  }

  at(point: Point): Mark | null {
    return this.scene.grid.at(point, SLACK_PX / this.scene.canvas.view.scale);
  }

  // A mouse takes hold of a mark without selecting it first.
  press(at: Point): void {
    const mark = this.scene.grid.at(at, 0);
    this.pressed = mark && { mark, before: mark.box, at };
  }

  // Whether the photo stays where it is.
  pull([x, y]: Point): boolean {
    if (!this.pressed) return false;
    const { mark, before, at } = this.pressed;
    const [dx, dy] = [x - at[0], y - at[1]];
    this.scene.canvas.selected = mark;
    this.drag([before[0] + dx, before[1] + dy, before[2] + dx, before[3] + dy]);
    return true;
  }

  release(): void {
    const pressed = this.pressed;
    this.pressed = null;
    if (pressed && pressed.mark.box !== pressed.before) this.drop(pressed.mark.box, pressed.before);
  }

  drag(box: Box): void {
    if (!this.selected) return;
    this.selected.box = box;
    this.scene.canvas.again();
  }

  drop(box: Box, before: Box): void {
    const mark = this.selected;
    if (!mark || box.every((edge, at) => Math.abs(edge - before[at]!) < 0.5)) {
      if (mark) mark.box = before;
      return;
    }
    const isDone = this.scene.within(box) && this.scene.marks.move(mark, box, before);
    if (!isDone) mark.box = before;
    this.redraw("moved", mark, [before, box]);
    if (!isDone) this.notes.say("outside");
  }

  // One mark changed: only what is around it is drawn anew.
  private redraw(what: MarkChange, mark: Mark, boxes: Box[]): void {
    const { grid, marks, canvas } = this.scene;
    const at = grid.marks.indexOf(mark);
    const isThere = marks.all.includes(mark);
    if (isThere && at < 0) grid.marks.push(mark);
    if (!isThere && at >= 0) grid.marks.splice(at, 1);
    grid.put(mark);
    for (const box of boxes) canvas.touch(box, grid.touching(wider(box)));
    this.edited(what);
  }

  // Rings around the selected mark, or around what is nearest, until nothing is in the way.
  private freePlace(): Point | null {
    const { marks, position, grid } = this.scene;
    const [width, height] = this.usualSize();
    const [cx, cy] = this.startOfSearch();
    for (let ring = 0; ring < 24; ring += 1) {
      const count = Math.max(1, ring * 8);
      for (let step = 0; step < count; step += 1) {
        const turn = (step / count) * Math.PI * 2;
        const x = cx + Math.cos(turn) * ring * width * 0.55;
        const y = cy + Math.sin(turn) * ring * height * 0.55;
        const box: Box = [x - width / 2.4, y - height / 2.4, x + width / 2.4, y + height / 2.4];
        if (!this.scene.within(box) || marks.containerAt(position, [x, y]) === null) continue;
        if (!grid.near(box).some((mark) => overlap(mark.box, box))) return [x, y];
      }
    }
    const inside = marks.containerAt(position, [cx, cy]) !== null;
    return inside ? [cx, cy] : null;
  }

  private startOfSearch(): Point {
    const { grid, marks, position } = this.scene;
    const mark = this.selected ?? grid.nearest(this.scene.centre());
    if (mark) return middle(mark.box);
    const first = marks.outline(position)?.containers[0]?.polygon ?? [];
    const sum = first.reduce(([sx, sy], [x, y]) => [sx + x, sy + y] as Point, [0, 0] as Point);
    return first.length ? [sum[0] / first.length, sum[1] / first.length] : this.scene.centre();
  }

  private usualSize(): Point {
    const shown = this.scene.grid.marks.filter((mark) => !mark.removed && !mark.isEmpty);
    if (shown.length === 0) return [PLANT_PX, PLANT_PX];
    const median = (edges: number[]) => edges.sort((a, b) => a - b)[edges.length >> 1]!;
    this.usual ??= [
      median(shown.map(({ box }) => box[2] - box[0])), median(shown.map(({ box }) => box[3] - box[1])),
    ];
    return this.usual;
  }
}

// As far as lines and signs of a neighbour reach into it.
function wider([x1, y1, x2, y2]: Box): Box {
  const edge = Math.max(x2 - x1, y2 - y1, 24);
  return [x1 - edge, y1 - edge, x2 + edge, y2 + edge];
}
