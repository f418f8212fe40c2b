// Draws the marks over the photo, one's own dashed with a plus. Thousands are drawn a few at a
// time on a second sheet, which takes the place of the first when it is whole; until then, and
// while the photo moves, the first one moves along. A change draws only the place where it is.
import type OpenSeadragon from "openseadragon";
import { middle, type Box, type Mark, type Outlines, type Point } from "./marks";

const COLOURS = {
  plants: "#35d07a",
  empties: "#ffb02e",
  residual: "rgb(240 107 216 / 40%)",
  own: "#ffffff",
  halo: "rgb(13 20 16 / 70%)",
};
const DOT_BELOW_PX = 3;
const PLUS_FROM_PX = 9;
const AT_ONCE = 150; // marks of one stroke
const SLICE_MS = 4; // then the page has a turn
const EDGE_PX = 16; // how far lines and signs reach beyond a mark

export interface View {
  x: number;
  y: number;
  scale: number;
}

export class MarksCanvas {
  private readonly canvas = document.createElement("canvas");
  private front = document.createElement("canvas");
  private back = document.createElement("canvas");
  private frontView: View | null = null;
  private job: { view: View; marks: Mark[]; at: number } | null = null;
  private isMoving = false;
  private waiting = 0;
  marks: Mark[] = [];
  selected: Mark | null = null;
  outlines: Outlines | null = null;
  under: ((pen: CanvasRenderingContext2D, view: View) => void) | null = null; // with the marks
  over: ((pen: CanvasRenderingContext2D, view: View) => void) | null = null; // at each frame

  constructor(
    private readonly viewer: OpenSeadragon.Viewer,
    private readonly drawn: () => void,
  ) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    viewer.canvas.append(this.canvas);
    viewer.addHandler("animation-start", () => { this.isMoving = true; });
    viewer.addHandler("animation-finish", () => {
      this.isMoving = false;
      this.show();
    });
    viewer.addHandler("update-viewport", () => this.show());
    viewer.addHandler("resize", () => this.renew());
  }

  // Everything anew: another photo, or other marks altogether.
  renew(): void {
    this.frontView = null;
    this.job = null;
    this.again();
  }

  // At the next frame, once, however often it is asked for.
  again(): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.show());
  }

  // One place anew, with the marks that touch it.
  touch(box: Box, near: Mark[]): void {
    const view = this.frontView;
    const pen = this.front.getContext("2d");
    if (!view || !pen || this.job) return this.renew();
    const [x1, y1, x2, y2] = box;
    const [x, y] = [x1 * view.scale + view.x - EDGE_PX, y1 * view.scale + view.y - EDGE_PX];
    const [width, height] = [(x2 - x1) * view.scale + EDGE_PX * 2, (y2 - y1) * view.scale + EDGE_PX * 2];
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.clearRect(x, y, width, height);
    this.drawGround(pen, view);
    drawMarks(pen, view, near);
    pen.restore();
    this.again();
  }

  // The box with all whose lines reach into what `touch` draws anew.
  around([x1, y1, x2, y2]: Box): Box {
    const edge = (EDGE_PX * 2) / this.view.scale;
    return [x1 - edge, y1 - edge, x2 + edge, y2 + edge];
  }

  // From pixels of the photo to those of the viewer: one scale, one shift.
  get view(): View {
    const { viewport, world } = this.viewer;
    const shown = world.getItemAt(0);
    if (!shown || !this.outlines) return { x: 0, y: 0, scale: 1 };
    const edge = shown.getContentSize().x;
    const centre = viewport.getCenter();
    const at = (x: number, y: number) => viewport.imageToViewerElementCoordinates(pointed(centre, x, y));
    const origin = at(0, 0);
    return { x: origin.x, y: origin.y, scale: (at(edge, 0).x - origin.x) / this.outlines.width_px };
  }

  toPhoto(x: number, y: number): Point {
    const view = this.view;
    return [(x - view.x) / view.scale, (y - view.y) / view.scale];
  }

  private show(): void {
    const pen = this.sized(this.canvas);
    if (!pen || !this.outlines) return;
    const view = this.view;
    if (this.frontView) {
      const ratio = view.scale / this.frontView.scale;
      const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
      const [x, y] = [view.x - this.frontView.x * ratio, view.y - this.frontView.y * ratio];
      pen.drawImage(this.front, x, y, width * ratio, height * ratio);
    }
    this.over?.(pen, view);
    if (this.selected) drawSelected(pen, view, this.selected);
    this.drawn();
    const isFresh = this.frontView !== null && same(this.frontView, view);
    if (!isFresh && !this.isMoving && !(this.job && same(this.job.view, view))) this.begin(view);
  }

  private begin(view: View): void {
    const pen = this.sized(this.back);
    if (!pen) return;
    const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
    const isShown = ({ box: [x1, y1, x2, y2] }: Mark) =>
      x2 * view.scale + view.x > 0 && y2 * view.scale + view.y > 0
      && x1 * view.scale + view.x < width && y1 * view.scale + view.y < height;
    this.drawGround(pen, view);
    this.job = { view, marks: this.marks.filter(isShown), at: 0 };
    this.work(this.job);
  }

  private work(job: NonNullable<MarksCanvas["job"]>): void {
    const pen = this.back.getContext("2d");
    if (this.job !== job || !pen) return; // another one began meanwhile
    const until = performance.now() + SLICE_MS;
    do {
      drawMarks(pen, job.view, job.marks.slice(job.at, job.at + AT_ONCE));
      job.at += AT_ONCE;
    } while (job.at < job.marks.length && performance.now() < until);
    if (job.at < job.marks.length) {
      requestAnimationFrame(() => this.work(job));
      return;
    }
    [this.front, this.back] = [this.back, this.front];
    this.frontView = job.view;
    this.job = null;
    this.show();
  }

  private drawGround(pen: CanvasRenderingContext2D, view: View): void {
    pen.fillStyle = COLOURS.residual;
    pen.beginPath();
    for (const part of this.outlines!.residual) trace(pen, view, part);
    pen.fill();
    this.under?.(pen, view);
  }

  private sized(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
    const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
    const dense = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(width * dense), Math.round(height * dense)];
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
    }
    const pen = canvas.getContext("2d");
    pen?.setTransform(dense, 0, 0, dense, 0, 0);
    pen?.clearRect(0, 0, width, height);
    return pen;
  }
}

export function isOwn(mark: Mark): boolean {
  return mark.moved || mark.read === null || mark.read.detection_id === null;
}

function drawMarks(pen: CanvasRenderingContext2D, view: View, marks: Mark[]): void {
  const ofMachine = marks.filter((mark) => !mark.removed && !isOwn(mark));
  stroke(pen, view, ofMachine.filter((mark) => !mark.isEmpty), COLOURS.plants);
  stroke(pen, view, ofMachine.filter((mark) => mark.isEmpty), COLOURS.empties);
  drawOwn(pen, view, marks.filter((mark) => !mark.removed && isOwn(mark)));
  drawRemoved(pen, view, marks.filter((mark) => mark.removed && mark.read));
}

function same(a: View, b: View): boolean {
  return a.x === b.x && a.y === b.y && a.scale === b.scale;
}

// The viewer's own class of points, without loading the library a second time.
function pointed(point: OpenSeadragon.Point, x: number, y: number): OpenSeadragon.Point {
  point.x = x;
  point.y = y;
  return point;
}

function trace(pen: CanvasRenderingContext2D, view: View, polygon: Point[]): void {
  polygon.forEach(([x, y], at) => {
    const [px, py] = [x * view.scale + view.x, y * view.scale + view.y];
    if (at === 0) pen.moveTo(px, py);
    else pen.lineTo(px, py);
  });
  pen.closePath();
}

function circle(pen: CanvasRenderingContext2D, view: View, mark: Mark): void {
  const [x1, y1, x2, y2] = mark.box;
  const [cx, cy] = middle(mark.box);
  const [x, y] = [cx * view.scale + view.x, cy * view.scale + view.y];
  const [rx, ry] = [((x2 - x1) / 2) * view.scale, ((y2 - y1) / 2) * view.scale];
  if (Math.max(rx, ry) < DOT_BELOW_PX) return pen.rect(x - 1, y - 1, 2, 2);
  if (mark.isEmpty) return pen.rect(x - rx, y - ry, rx * 2, ry * 2);
  pen.moveTo(x + rx, y);
  pen.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
}

function twice(pen: CanvasRenderingContext2D, colour: string, width = 2): void {
  pen.lineWidth = width + 2;
  pen.strokeStyle = COLOURS.halo;
  pen.stroke();
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.stroke();
}

function stroke(pen: CanvasRenderingContext2D, view: View, marks: Mark[], colour: string): void {
  pen.beginPath();
  for (const mark of marks) circle(pen, view, mark);
  twice(pen, colour);
}

function drawOwn(pen: CanvasRenderingContext2D, view: View, marks: Mark[]): void {
  pen.beginPath();
  for (const mark of marks) circle(pen, view, mark);
  pen.lineWidth = 4;
  pen.strokeStyle = COLOURS.halo;
  pen.stroke();
  pen.setLineDash([5, 4]);
  pen.lineWidth = 2;
  pen.strokeStyle = COLOURS.own;
  pen.stroke();
  pen.setLineDash([]);
  for (const mark of marks) plus(pen, view, mark);
}

// A white disc with a plus at the upper right of what a person added.
function plus(pen: CanvasRenderingContext2D, view: View, mark: Mark): void {
  const [x1, y1, x2] = mark.box;
  if ((x2 - x1) * view.scale < PLUS_FROM_PX) return;
  const [x, y] = [x2 * view.scale + view.x - 2, y1 * view.scale + view.y + 2];
  const r = Math.min(9, Math.max(4, (x2 - x1) * view.scale * 0.22));
  pen.beginPath();
  pen.arc(x, y, r, 0, Math.PI * 2);
  pen.fillStyle = COLOURS.own;
  pen.fill();
  pen.beginPath();
  pen.moveTo(x - r * 0.55, y);
  pen.lineTo(x + r * 0.55, y);
  pen.moveTo(x, y - r * 0.55);
  pen.lineTo(x, y + r * 0.55);
  pen.lineWidth = 2;
  pen.strokeStyle = "#0d1410";
  pen.stroke();
}

function drawRemoved(pen: CanvasRenderingContext2D, view: View, marks: Mark[]): void {
  pen.beginPath();
  for (const mark of marks) {
    const [x1, y1, x2, y2] = mark.box.map((edge, at) => edge * view.scale + (at % 2 ? view.y : view.x));
    pen.moveTo(x1!, y1!);
    pen.lineTo(x2!, y2!);
    pen.moveTo(x2!, y1!);
    pen.lineTo(x1!, y2!);
  }
  twice(pen, "#ff9d94");
}

function drawSelected(pen: CanvasRenderingContext2D, view: View, mark: Mark): void {
  pen.beginPath();
  circle(pen, view, mark);
  pen.fillStyle = "rgb(255 255 255 / 18%)";
  pen.fill();
  if (isOwn(mark)) pen.setLineDash([6, 4]);
  twice(pen, COLOURS.own, 3.5);
  pen.setLineDash([]);
  if (isOwn(mark)) plus(pen, view, mark);
}
