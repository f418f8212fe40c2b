// A drawing over a photo that can be walked through. Thousands of strokes are drawn a few at a
// time on a second sheet, which takes the place of the first when it is whole; until then, and
// while the photo moves, the first one moves along.
import type OpenSeadragon from "openseadragon";

const SLICE_MS = 4; // then the page has a turn
const DENSEST = 2; // more pixels a point are drawn and not seen

export interface View {
  x: number; // where the photo's corner is, in pixels of the page
  y: number;
  scale: number; // pixels of the page for one of the photo
  width: number; // of what is looked at, in pixels of the page
  height: number;
}

export interface Drawing {
  photoWidth: number; // in pixels of the photo
  // Everything, a few strokes a step.
  steps(pen: CanvasRenderingContext2D, view: View): Iterator<void>;
  // What is drawn above it at every frame: little.
  above(pen: CanvasRenderingContext2D, view: View): void;
}

export class Layer {
  private readonly canvas = document.createElement("canvas");
  private front = document.createElement("canvas");
  private back = document.createElement("canvas");
  private frontView: View | null = null;
  private work: { view: View; steps: Iterator<void> } | null = null;
  private isStale = false;
  private isMoving = false;
  private waiting = 0;

  constructor(
    private readonly viewer: OpenSeadragon.Viewer,
    private readonly drawing: Drawing,
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

  // Everything anew; what was drawn stays until then.
  renew(): void {
    this.work = null;
    this.isStale = true;
    this.again();
  }

  // At the next frame, once, however often it is asked for.
  again(): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.show());
  }

  // One place of the page anew.
  patch(x: number, y: number, width: number, height: number, draw: Drawing["above"]): void {
    const pen = this.front.getContext("2d");
    if (!this.frontView || this.isStale || this.work || !pen) return this.renew();
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.clearRect(x, y, width, height);
    draw(pen, this.frontView);
    pen.restore();
    this.again();
  }

  // From pixels of the photo to those of the page: one scale, one shift.
  get view(): View {
    const { viewport, world } = this.viewer;
    const { x: width, y: height } = viewport.getContainerSize(); // the page is not laid out for it
    const shown = world.getItemAt(0);
    if (!shown) return { x: 0, y: 0, scale: 1, width, height };
    const edge = shown.getContentSize().x;
    const centre = viewport.getCenter();
    const at = (x: number) => viewport.imageToViewerElementCoordinates(placed(centre, x, 0));
    const origin = at(0);
    return { x: origin.x, y: origin.y, scale: (at(edge).x - origin.x) / this.drawing.photoWidth, width, height };
  }

  private show(): void {
    const view = this.view;
    const pen = sized(this.canvas, view);
    if (!pen) return;
    if (this.frontView) {
      const ratio = view.scale / this.frontView.scale;
      const { x, y, width, height } = this.frontView;
      pen.drawImage(this.front, view.x - x * ratio, view.y - y * ratio, width * ratio, height * ratio);
    }
    this.drawing.above(pen, view);
    const isFresh = !this.isStale && this.frontView !== null && isSame(this.frontView, view);
    if (!isFresh && !this.isMoving && !(this.work && isSame(this.work.view, view))) this.begin(view);
  }

  private begin(view: View): void {
    const pen = sized(this.back, view);
    if (!pen) return;
    this.work = { view, steps: this.drawing.steps(pen, view) };
    this.go(this.work);
  }

  private go(work: NonNullable<Layer["work"]>): void {
    if (this.work !== work) return; // another one began meanwhile
    const until = performance.now() + SLICE_MS;
    do {
      if (!work.steps.next().done) continue;
      [this.front, this.back] = [this.back, this.front];
      this.frontView = work.view;
      this.isStale = false;
      this.work = null;
      this.show();
      return;
    } while (performance.now() < until);
    requestAnimationFrame(() => this.go(work));
  }
}

function density(): number {
  return Math.min(window.devicePixelRatio || 1, DENSEST);
}

function sized(canvas: HTMLCanvasElement, { width, height }: View): CanvasRenderingContext2D | null {
  const dense = density();
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

function isSame(a: View, b: View): boolean {
  return a.x === b.x && a.y === b.y && a.scale === b.scale && a.width === b.width && a.height === b.height;
}

// The viewer's own class of points, without loading the library a second time.
function placed(point: OpenSeadragon.Point, x: number, y: number): OpenSeadragon.Point {
  point.x = x;
  point.y = y;
  return point;
}
