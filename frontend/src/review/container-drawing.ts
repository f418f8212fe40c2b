// Draws the containers over the photo: all in one path that is made anew only when they change
// and drawn with the marks, the chosen one and what is done to it at each frame on top.
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

  // Those that came and those that went.
  renew(drawn: Drawn[]): Drawn[] {
    const [before, now] = [new Set(this.drawn), new Set(drawn)];
    const changed = [...this.drawn.filter((one) => !now.has(one)), ...drawn.filter((one) => !before.has(one))];
    this.drawn = drawn;
    if (changed.length > 0) this.path = new Path2D();
    if (changed.length > 0) for (const one of drawn) trace(this.path, one.outline);
    return changed;
  }

  drawAll(pen: CanvasRenderingContext2D, view: View): void {
    place(pen, view);
    twice(pen, view, this.path, LINE, 2);
    pen.restore();
  }

  drawChosen(pen: CanvasRenderingContext2D, view: View, { chosen, outline, candidate, line }: Shown): void {
    if (!chosen) return;
    place(pen, view);
    if (candidate) dashed(pen, view, pathOf(candidate.outline), [7, 5]);
    const path = pathOf(outline ?? chosen.outline);
    pen.fillStyle = "rgb(255 255 255 / 14%)";
    pen.fill(path);
    twice(pen, view, path, OWN, 3.5);
    if (line) dashed(pen, view, pathOf(line), [9, 6]);
    pen.restore();
  }
}

// In pixels of the photo until it is restored.
function place(pen: CanvasRenderingContext2D, view: View): void {
  pen.save();
  pen.translate(view.x, view.y);
  pen.scale(view.scale, view.scale);
  pen.lineJoin = "round";
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
