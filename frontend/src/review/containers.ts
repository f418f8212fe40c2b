// The containers of a session as a person draws them: each step makes a new list, and taking it
// back gives the list before.
import type { Box, Point } from "./marks";
import { area, bounds, cut, distance, isInside, isSimple, join, type Outline } from "./outline";

export interface ContainerRead {
  index: number;
  position: number;
  container_type: string;
  outline: Outline;
  bin_id: number | null;
  is_chosen: boolean;
}

export interface Drawn {
  readonly id: number;
  readonly position: number;
  readonly outline: Outline;
  readonly box: Box;
  readonly type: string;
  readonly former: readonly number[];
  readonly bin: number | null; // the one that a person says it is
}

export interface ContainerBody {
  position: number;
  outline: Outline;
  container_type: string;
  former: number[];
  bin_id: number | null;
}

interface Step {
  all: Drawn[];
  chosen: Drawn | null;
}

export class Containers {
  all: Drawn[] = [];
  private readonly first: readonly Drawn[];
  private next = 0;
  private steps: Step[] = [];
  private readonly outlines = new Map<number, Outline>();

  constructor(read: ContainerRead[]) {
    for (const one of read) this.outlines.set(one.index, one.outline);
    this.all = read.map((one) => this.made({
      position: one.position,
      outline: one.outline,
      type: one.container_type,
      former: [one.index],
      bin: one.is_chosen ? one.bin_id : null,
    }));
    this.first = this.all;
  }

  at(position: number): Drawn[] {
    return this.all.filter((one) => one.position === position);
  }

  // Its number in the session as it will be: photo by photo, in their order.
  number(one: Drawn): number {
    return [...this.all].sort((a, b) => a.position - b.position).indexOf(one) + 1;
  }

  // The smallest around a point: one may lie in another.
  around(position: number, [x, y]: Point): Drawn | null {
    let best: Drawn | null = null;
    for (const one of this.all) {
      if (one.position !== position || !holds(one, x, y)) continue;
      if (!best || area(one.outline) < area(best.outline)) best = one;
    }
    return best;
  }

  retype(one: Drawn, type: string): Drawn {
    return this.swap(one, [{ ...one, type }])[0]!;
  }

  sameBin(one: Drawn, bin: number | null): Drawn {
    const freed = this.all.map((other) => (bin !== null && other.bin === bin ? this.made({ ...other, bin: null }) : other));
    const now = freed[this.all.indexOf(one)]!;
    const made = this.made({ ...now, bin });
    this.step(freed.map((other) => (other === now ? made : other)), one);
    return made;
  }

  // Null where it would cross itself.
  reshape(one: Drawn, outline: Outline): Drawn | null {
    if (!isSimple(outline)) return null;
    return this.swap(one, [{ ...one, outline }])[0]!;
  }

  split(one: Drawn, from: Point, to: Point): Drawn[] | null {
    const parts = cut(one.outline, from, to);
    return parts && this.swap(one, parts.map((outline, at) => ({ ...one, outline, bin: at ? null : one.bin })));
  }

  merge(one: Drawn, other: Drawn): Drawn {
    const made = this.made({
      ...one,
      outline: join(one.outline, other.outline),
      former: [...new Set([...one.former, ...other.former])],
      bin: one.bin ?? other.bin,
    });
    const rest = this.all.filter((each) => each !== other);
    this.step(rest.map((each) => (each === one ? made : each)), one);
    return made;
  }

  // What was chosen before the step; undefined where there is none.
  undo(): Drawn | null | undefined {
    const step = this.steps.pop();
    if (!step) return undefined;
    this.all = step.all;
    return step.chosen;
  }

  // Former containers whose outline is as it was.
  get unchanged(): Set<number> {
    const still = this.all.filter((one) => one.former.length === 1 && this.outlines.get(one.former[0]!) === one.outline);
    return new Set(still.map((one) => one.former[0]!));
  }

  isNear(one: Drawn, x: number, y: number, edge: number): boolean {
    return holds(one, x, y) || distance(one.outline, x, y) <= edge;
  }

  get isChanged(): boolean {
    return this.all.length !== this.first.length || this.all.some((one, at) => !isSame(one, this.first[at]!));
  }

  body(): ContainerBody[] {
    return this.all.map((one) => ({
      position: one.position,
      outline: one.outline,
      container_type: one.type,
      former: [...one.former],
      bin_id: one.bin,
    }));
  }

  apply(kept: ContainerBody[]): void {
    this.all = kept.map((one) => this.made({
      position: one.position, outline: one.outline, type: one.container_type, former: one.former, bin: one.bin_id,
    }));
  }

  private made(facts: Omit<Drawn, "id" | "box">): Drawn {
    this.next += 1;
    return { ...facts, id: this.next, box: bounds(facts.outline) };
  }

  private swap(one: Drawn, parts: Omit<Drawn, "box">[]): Drawn[] {
    const made = parts.map((part) => this.made(part));
    this.step(this.all.flatMap((each) => (each === one ? made : [each])), one);
    return made;
  }

  private step(all: Drawn[], chosen: Drawn): void {
    this.steps.push({ all: this.all, chosen });
    this.all = all;
  }
}

function isSame(a: Drawn, b: Drawn): boolean {
  return a === b || (
    a.position === b.position && a.type === b.type && a.bin === b.bin
    && String(a.former) === String(b.former) && String(a.outline) === String(b.outline)
  );
}

export function holds({ box: [x1, y1, x2, y2], outline }: Drawn, x: number, y: number): boolean {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2 && isInside(outline, x, y);
}
