// The line that cuts a container in two: proposed through its middle, moved by arrows, or drawn
// with two clicks.
import type { Drawn } from "./containers";
import type { Point } from "./marks";
import { centroid } from "./outline";

const TURN = Math.PI / 12;

export class CutLine {
  private middle: Point;
  private angle: number;
  private readonly length: number;
  first: Point | null = null; // the first of two clicks

  constructor(private readonly one: Drawn) {
    const [x1, y1, x2, y2] = one.box;
    this.middle = centroid(one.outline);
    this.angle = x2 - x1 >= y2 - y1 ? Math.PI / 2 : 0; // across the longer side
    this.length = Math.hypot(x2 - x1, y2 - y1);
  }

  get ends(): [Point, Point] {
    const [x, y] = this.middle;
    const [dx, dy] = [Math.cos(this.angle) * this.length / 2, Math.sin(this.angle) * this.length / 2];
    return [[x - dx, y - dy], [x + dx, y + dy]];
  }

  shift([dx, dy]: Point, isFar: boolean): void {
    const [x1, y1, x2, y2] = this.one.box;
    const step = isFar ? 0.1 : 0.02;
    this.middle = [this.middle[0] + dx * step * (x2 - x1), this.middle[1] + dy * step * (y2 - y1)];
  }

  turn([dx, dy]: Point): void {
    this.angle += (dx || dy) * TURN;
  }

  // The line, once the second point is there.
  click(at: Point): [Point, Point] | null {
    if (this.first) return [this.first, at];
    this.first = at;
    return null;
  }

  follow(at: Point): [Point, Point] | null {
    return this.first ? [this.first, at] : null;
  }
}
