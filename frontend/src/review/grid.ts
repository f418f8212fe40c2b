// Finds marks by where they are: squares of the photo, each with the marks that touch it, so
// that a click among thousands looks at a handful.
import { middle, type Box, type Mark, type Point } from "./marks";

const SQUARE_PX = 96;

export class Grid {
  private readonly squares = new Map<number, Mark[]>();

  constructor(readonly marks: Mark[]) {
    for (const mark of marks) this.put(mark);
  }

  // Where a mark is now; where it was before, nothing is found of it any more.
  put(mark: Mark): void {
    for (const square of squaresOf(mark.box)) {
      const there = this.squares.get(square);
      if (!there) this.squares.set(square, [mark]);
      else if (!there.includes(mark)) there.push(mark);
    }
  }

  // The smallest mark around a point, within so many pixels of its edge.
  at([x, y]: Point, slack: number): Mark | null {
    const near = this.near([x - slack, y - slack, x + slack, y + slack]).filter(
      ({ box: [x1, y1, x2, y2] }) =>
        x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack,
    );
    near.sort((a, b) => size(a.box) - size(b.box));
    return near[0] ?? null;
  }

  near(box: Box): Mark[] {
    return this.touching(box).filter((mark) => !mark.removed);
  }

  // The removed ones among them.
  touching(box: Box): Mark[] {
    const found = new Set<Mark>();
    for (const square of squaresOf(box)) {
      for (const mark of this.squares.get(square) ?? []) if (overlap(mark.box, box)) found.add(mark);
    }
    return [...found];
  }

  // The next mark in a direction: the nearest that lies more that way than aside, else any.
  towards(from: Mark, [dx, dy]: Point): Mark | null {
    const [x, y] = middle(from.box);
    let ahead: Mark | null = null;
    let any: Mark | null = null;
    let [leastAhead, leastAny] = [Infinity, Infinity];
    for (const mark of this.marks) {
      if (mark === from || mark.removed) continue;
      const [mx, my] = middle(mark.box);
      const along = (mx - x) * dx + (my - y) * dy;
      if (along <= 0) continue;
      const aside = Math.abs((mx - x) * dy) + Math.abs((my - y) * dx);
      const cost = along + aside * 2;
      if (cost < leastAny) [any, leastAny] = [mark, cost];
      if (aside <= along * 1.2 && cost < leastAhead) [ahead, leastAhead] = [mark, cost];
    }
    return ahead ?? any;
  }

  nearest([x, y]: Point): Mark | null {
    let best: Mark | null = null;
    let least = Infinity;
    for (const mark of this.marks) {
      if (mark.removed) continue;
      const [mx, my] = middle(mark.box);
      const far = (mx - x) ** 2 + (my - y) ** 2;
      if (far < least) [best, least] = [mark, far];
    }
    return best;
  }
}

function* squaresOf([x1, y1, x2, y2]: Box): Generator<number> {
  for (let column = Math.floor(x1 / SQUARE_PX); column <= Math.floor(x2 / SQUARE_PX); column += 1) {
    for (let row = Math.floor(y1 / SQUARE_PX); row <= Math.floor(y2 / SQUARE_PX); row += 1) {
      yield column * 4096 + row;
    }
  }
}

export function overlap(a: Box, b: Box): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

function size([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1);
}
