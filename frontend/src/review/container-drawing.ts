// Draws the containers over the photo: all in one path that is made anew only when they change,
// the chosen one and what is done to it on top.
import type { View } from "./canvas";
import type { Drawn } from "./containers";
import type { Point } from "./marks";
import type { Outline } from "./outline";

const LINE = "#4fb0ff";
const OWN = "#ffffff";
const HALO = "rgb(13 20 16 / 70%)";

export interface Shown {
  chosen: Drawn | null;
  outline: Outline | null; // the chosen one's while it is dragged
  candidate: Drawn | null; // would be merged with it
  line: [Point, Point] | null; // would cut it
}

export class ContainerDrawing {
  private path = new Path2D();
  private drawn: Drawn[] = [];

  renew(drawn: Drawn[]): void {
    if (drawn.length === this.drawn.length && drawn.every((one, at) => one === this.drawn[at])) return;
    this.drawn = drawn;
    this.path = new Path2D();
    for (const one of drawn) trace(this.path, one.outline);
  }

  draw(pen: CanvasRenderingContext2D, view: View, { chosen, outline, candidate, line }: Shown): void {
    pen.save();
    pen.translate(view.x, view.y);
    pen.scale(view.scale, view.scale);
    pen.lineJoin = "round";
    twice(pen, view, this.path, LINE, 2);
    if (candidate) dashed(pen, view, pathOf(candidate.outline), [7, 5]);
    if (chosen) {
      const path = pathOf(outline ?? chosen.outline);
      pen.fillStyle = "rgb(255 255 255 / 14%)";
      pen.fill(path);
      twice(pen, view, path, OWN, 3.5);
    }
    if (line) dashed(pen, view, pathOf(line), [9, 6]);
    pen.restore();
  }
}

function pathOf(points: Point[]): Path2D {
  const path = new Path2D();
  trace(path, points);
  return path;
}

function trace(path: Path2D, points: Point[]): void {
  points.forEach(([x, y], at) => (at === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
  path.closePath();
}

function twice(pen: CanvasRenderingContext2D, view: View, path: Path2D, colour: string, width: number): void {
  pen.lineWidth = (width + 2) / view.scale;
  pen.strokeStyle = HALO;
  pen.stroke(path);
  pen.lineWidth = width / view.scale;
  pen.strokeStyle = colour;
  pen.stroke(path);
}

function dashed(pen: CanvasRenderingContext2D, view: View, path: Path2D, dashes: number[]): void {
  pen.lineWidth = 5 / view.scale;
  pen.strokeStyle = HALO;
  pen.stroke(path);
  pen.setLineDash(dashes.map((dash) => dash / view.scale));
  pen.lineWidth = 3 / view.scale;
  pen.strokeStyle = OWN;
  pen.stroke(path);
  pen.setLineDash([]);
}
