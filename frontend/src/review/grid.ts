// Finds marks by where they are: squares of the photo, each with the marks that touch it, so
// that a click among thousands looks at a handful.
import { middle, type Box, type Mark, type Point } from "./marks";

const SQUARE_PX = 96;

export class Grid {
  private readonly squares = new Map<string, Mark[]>();

  constructor(readonly marks: Mark[]) {
    for (const mark of marks) {
      for (const square of squaresOf(mark.box)) {
        const there = this.squares.get(square);
        if (there) there.push(mark);
        else this.squares.set(square, [mark]);
      }
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
    const found = new Set<Mark>();
    for (const square of squaresOf(box)) {
      for (const mark of this.squares.get(square) ?? []) if (!mark.removed) found.add(mark);
    }
    return [...found];
  }

  // The next mark in a direction: near, and not far off the line.
  towards(from: Mark, [dx, dy]: Point): Mark | null {
    const [x, y] = middle(from.box);
    let best: Mark | null = null;
    let least = Infinity;
    for (const mark of this.marks) {
      if (mark === from || mark.removed) continue;
      const [mx, my] = middle(mark.box);
      const along = (mx - x) * dx + (my - y) * dy;
      if (along <= 0) continue;
      const aside = Math.abs((mx - x) * dy) + Math.abs((my - y) * dx);
      const cost = along + aside * 2;
      if (cost < least) [best, least] = [mark, cost];
    }
    return best;
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

function* squaresOf([x1, y1, x2, y2]: Box): Generator<string> {
  for (let column = Math.floor(x1 / SQUARE_PX); column <= Math.floor(x2 / SQUARE_PX); column += 1) {
    for (let row = Math.floor(y1 / SQUARE_PX); row <= Math.floor(y2 / SQUARE_PX); row += 1) {
      yield `${column},${row}`;
    }
  }
}

function size([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1);
}
