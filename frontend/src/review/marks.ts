// The marks of a photo as a person changes them: the machine's, less and plus one's own, with
// every step undoable, and the number that follows by the server's own rule.

import { area, isInside } from "./outline";

export type Point = [number, number];
export type Box = [number, number, number, number];

export interface ContainerRead {
  index: number;
  machine_estimated: number | null;
  answer: number | null;
  by_marks: number;
}

export interface MarkRead {
  detection_id: number | null;
  correction_id: number | null;
  container_index: number;
  position: number;
  box: Box;
  is_empty_container: boolean;
  removed: boolean;
}

export interface Outlines {
  position: number;
  width_px: number;
  height_px: number;
  containers: { index: number; polygon: Point[] }[];
  residual: Point[][];
}

export interface Mark {
  read: MarkRead | null; // null: added here, and not saved yet
  position: number;
  container: number;
  box: Box;
  isEmpty: boolean;
  removed: boolean;
  moved: boolean;
}

export interface Edits {
  add: { box: Box; position: number; container_index: number; is_empty_container: boolean }[];
  remove: number[];
  undo: number[];
}

// What a step back changed, and the places where that is to be seen.
export interface Undone {
  mark: Mark;
  boxes: Box[];
}

export class Marks {
  readonly all: Mark[];
  private readonly steps: (() => Undone)[] = [];

  constructor(
    private readonly containers: ContainerRead[],
    read: MarkRead[],
    private readonly outlines: Outlines[],
  ) {
    this.all = read.map((mark) => ({
      read: mark,
      position: mark.position,
      container: mark.container_index,
      box: mark.box,
      isEmpty: mark.is_empty_container,
      removed: mark.removed,
      moved: false,
    }));
  }

  at(position: number): Mark[] {
    return this.all.filter((mark) => mark.position === position);
  }

  // The smallest container around a point; null where there is none, and no plant can be.
  containerAt(position: number, [x, y]: Point): number | null {
    const around = this.outline(position)?.containers.filter((c) => isInside(c.polygon, x, y)) ?? [];
    around.sort((a, b) => area(a.polygon) - area(b.polygon));
    return around[0]?.index ?? null;
  }

  outline(position: number): Outlines | undefined {
    return this.outlines.find((one) => one.position === position);
  }

  add(position: number, box: Box, isEmpty: boolean): Mark | null {
    const container = this.containerAt(position, middle(box));
    if (container === null) return null;
    const mark: Mark = { read: null, position, container, box, isEmpty, removed: false, moved: false };
    this.all.push(mark);
    this.steps.push(() => {
      this.all.splice(this.all.indexOf(mark), 1);
      mark.removed = true; // whoever still holds it sees that it is gone
      return { mark, boxes: [mark.box] };
    });
    return mark;
  }

  remove(mark: Mark): void {
    this.change(mark, { removed: true });
  }

  // Where it was before the hand took it; a step of its own once it is let go.
  move(mark: Mark, box: Box, before: Box = mark.box): boolean {
    const container = this.containerAt(mark.position, middle(box));
    if (container === null) {
      mark.box = before;
      return false;
    }
    mark.box = before;
    this.change(mark, { box, container, moved: true });
    return true;
  }

  undo(): Undone | null {
    return this.steps.pop()?.() ?? null;
  }

  get isChanged(): boolean {
    const { add, remove, undo } = this.edits();
    return add.length + remove.length + undo.length > 0;
  }

  // What is to be saved: a mark that was moved is one removed and one added.
  edits(): Edits {
    const edits: Edits = { add: [], remove: [], undo: [] };
    for (const mark of this.all) {
      if ((!mark.read && !mark.removed) || (mark.moved && !mark.removed)) edits.add.push(added(mark));
      if (!mark.read) continue;
      const isGone = mark.removed || mark.moved;
      const { detection_id, correction_id, removed } = mark.read;
      if (isGone && !removed) {
        if (detection_id !== null) edits.remove.push(detection_id);
        else if (correction_id !== null) edits.undo.push(correction_id);
      } else if (!mark.removed && removed && correction_id !== null) edits.undo.push(correction_id);
    }
    return edits;
  }

  // What was changed elsewhere, on what is there now; what is not possible any more is left out.
  apply(edits: Edits): void {
    for (const id of edits.remove) {
      const mark = this.all.find((one) => one.read?.detection_id === id);
      if (mark && !mark.removed) this.remove(mark);
    }
    for (const id of edits.undo) {
      const mark = this.all.find((one) => one.read?.correction_id === id);
      if (mark?.read) this.change(mark, { removed: !mark.read.removed });
    }
    for (const one of edits.add) this.add(one.position, one.box, one.is_empty_container);
  }

  // Plants of all containers: each follows its marks, unless a person said another number.
  get total(): number {
    const byMarks = this.byMarks();
    return this.containers.reduce((sum, container) => {
      const now = byMarks.get(container.index) ?? 0;
      const answer = container.answer ?? container.by_marks;
      return sum + (now !== container.by_marks && answer === container.by_marks ? now : answer);
    }, 0);
  }

  // One that a person adds where plants were only estimated stands for one of the estimated.
  private byMarks(): Map<number, number> {
    const plants = new Map<number, number>();
    const inside = new Map<number, number>();
    const one = (sums: Map<number, number>, index: number) => sums.set(index, (sums.get(index) ?? 0) + 1);
    for (const mark of this.all) {
      if (mark.removed || mark.isEmpty) continue;
      one(plants, mark.container);
      const isOwn = mark.read?.detection_id == null || mark.moved;
      if (isOwn && this.isEstimated(mark)) one(inside, mark.container);
    }
    for (const { index, machine_estimated } of this.containers) {
      const rest = Math.max(0, (machine_estimated ?? 0) - (inside.get(index) ?? 0));
      plants.set(index, (plants.get(index) ?? 0) + rest);
    }
    return plants;
  }

  private isEstimated(mark: Mark): boolean {
    const [x, y] = middle(mark.box);
    return this.outline(mark.position)?.residual.some((part) => isInside(part, x, y)) ?? false;
  }

  private change(mark: Mark, facts: Partial<Mark>): void {
    const before = { ...mark };
    Object.assign(mark, facts);
    this.steps.push(() => {
      const boxes = [mark.box, before.box];
      Object.assign(mark, before);
      return { mark, boxes };
    });
  }
}

function added(mark: Mark): Edits["add"][number] {
  return {
    box: mark.box.map((edge) => Math.round(edge * 10) / 10) as Box,
    position: mark.position,
    container_index: mark.container,
    is_empty_container: mark.isEmpty,
  };
}

export function middle([x1, y1, x2, y2]: Box): Point {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}
