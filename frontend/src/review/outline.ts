// Outlines as numbers: cut by a line, joined, and whether they cross themselves.
import type { Box, Point } from "./marks";

export type Outline = Point[];

interface Crossing {
  edge: number;
  along: number; // of the line
  at: Point;
}

export function bounds(outline: Outline): Box {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of outline) {
    [x1, y1] = [Math.min(x1, x), Math.min(y1, y)];
    [x2, y2] = [Math.max(x2, x), Math.max(y2, y)];
  }
  return [x1, y1, x2, y2];
}

export function isInside(outline: Outline, x: number, y: number): boolean {
  let inside = false;
  outline.forEach(([ax, ay], at) => {
    const [bx, by] = outline.at(at - 1)!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

export function area(outline: Outline): number {
  return Math.abs(turn(outline));
}

export function distance(outline: Outline, x: number, y: number): number {
  let least = Infinity;
  outline.forEach(([bx, by], at) => {
    const [ax, ay] = outline.at(at - 1)!;
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(x - ax - along * dx, y - ay - along * dy));
  });
  return least;
}

export function centroid(outline: Outline): Point {
  const [x1, y1, x2, y2] = bounds(outline);
  const whole = turn(outline);
  if (whole === 0) return [(x1 + x2) / 2, (y1 + y2) / 2];
  let [sx, sy] = [0, 0];
  outline.forEach(([ax, ay], at) => {
    const [bx, by] = outline.at(at - 1)!;
    const cross = bx * ay - ax * by;
    [sx, sy] = [sx + (ax + bx) * cross, sy + (ay + by) * cross];
  });
  return [sx / (6 * whole), sy / (6 * whole)];
}

export function isSimple(outline: Outline): boolean {
  const n = outline.length;
  if (n < 3 || area(outline) < 16) return false;
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const isNext = j === i + 1 || (i === 0 && j === n - 1);
      if (!isNext && cross(outline[i]!, outline[(i + 1) % n]!, outline[j]!, outline[(j + 1) % n]!)) return false;
    }
  }
  return true;
}

// The two parts of an outline on both sides of the line through two points; null where the line
// misses it. Of a bent outline only the part between the points is cut.
export function cut(outline: Outline, [ax, ay]: Point, [bx, by]: Point): [Outline, Outline] | null {
  const [dx, dy] = [bx - ax, by - ay];
  const length = Math.hypot(dx, dy);
  if (length < 1) return null;
  const side = ([x, y]: Point) => dx * (y - ay) - dy * (x - ax);
  const crossings: Crossing[] = [];
  outline.forEach((from, edge) => {
    const to = outline[(edge + 1) % outline.length]!;
    const [s, t] = [side(from), side(to)];
    if (s < 0 === t < 0) return;
    const share = s / (s - t);
    const at: Point = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    crossings.push({ edge, at, along: ((at[0] - ax) * dx + (at[1] - ay) * dy) / length });
  });
  crossings.sort((a, b) => a.along - b.along);
  const pairs: (readonly [Crossing, Crossing])[] = [];
  for (let n = 0; n + 1 < crossings.length; n += 2) pairs.push([crossings[n]!, crossings[n + 1]!] as const);
  const middle = length / 2;
  const away = ([from, to]: readonly [Crossing, Crossing]) => Math.max(from.along - middle, middle - to.along);
  const chosen = pairs.sort((a, b) => away(a) - away(b))[0];
  if (!chosen) return null;
  const [first, last] = chosen[0].edge < chosen[1].edge ? chosen : [chosen[1], chosen[0]];
  const inner = [first.at, ...outline.slice(first.edge + 1, last.edge + 1), last.at];
  const outer = [last.at, ...outline.slice(last.edge + 1), ...outline.slice(0, first.edge + 1), first.at];
  const parts: [Outline, Outline] = [whole(inner), whole(outer)];
  parts.sort((a, b) => bounds(a)[0] - bounds(b)[0] || bounds(a)[1] - bounds(b)[1]); // left, or above, first
  return parts.every(isSimple) ? parts : null;
}

// One outline of two: joined over the edges that face each other, else what spans both.
export function join(first: Outline, second: Outline): Outline {
  const [a, b] = [turned(first), turned(second)];
  let [best, least] = [[0, 0], Infinity];
  a.forEach((from, i) => {
    const to = a[(i + 1) % a.length]!;
    b.forEach((start, j) => {
      const cost = far(from, b[(j + 1) % b.length]!) + far(to, start);
      if (cost < least) [best, least] = [[i, j], cost];
    });
  });
  const [i, j] = best as [number, number];
  const joined = whole([...a.slice(i + 1), ...a.slice(0, i + 1), ...b.slice(j + 1), ...b.slice(0, j + 1)]);
  const isWhole = isSimple(joined) && area(joined) >= Math.max(area(first), area(second));
  return isWhole ? joined : hull([...first, ...second]);
}

export function hull(points: Point[]): Outline {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (row: Point[]) => {
    const kept: Point[] = [];
    for (const point of row) {
      while (kept.length > 1 && corner(kept.at(-2)!, kept.at(-1)!, point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

// In whole pixels, no corner twice in a row, none on the way between its neighbours.
function whole(outline: Outline): Outline {
  const rounded = outline.map(([x, y]) => [Math.round(x), Math.round(y)] as Point);
  const once = rounded.filter((point, at) => far(point, rounded.at(at - 1)!) > 0);
  return once.filter((point, at) => corner(once.at(at - 1)!, point, once[(at + 1) % once.length]!) !== 0);
}

function turned(outline: Outline): Outline {
  return turn(outline) < 0 ? [...outline].reverse() : outline;
}

function turn(outline: Outline): number {
  return outline.reduce((sum, [ax, ay], at) => {
    const [bx, by] = outline.at(at - 1)!;
    return sum + bx * ay - ax * by;
  }, 0) / 2;
}

function corner(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

function cross(a: Point, b: Point, c: Point, d: Point): boolean {
  const [s, t, u, v] = [corner(a, b, c), corner(a, b, d), corner(c, d, a), corner(c, d, b)];
  return s * t <= 0 && u * v <= 0 && (s !== 0 || t !== 0 || u !== 0 || v !== 0);
}

function far(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
