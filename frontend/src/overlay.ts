// What was counted, drawn on a canvas over the photo: thousands of plants in one path.
import type OpenSeadragon from "openseadragon";

export type Layer = "containers" | "plants" | "empties" | "residual";
type Point = [number, number];
type Row = [number, number, number, number, number, number]; // x1 y1 x2 y2 percent container

interface Container {
  index: number;
  container_type: string;
  polygon: Point[];
}

export interface Drawn {
  width_px: number;
  height_px: number;
  containers: Container[];
  plants: Row[];
  empties: Row[];
  residual: Point[][];
}

// The still picture made by the server has the same colours.
const COLOURS = {
  plants: "rgb(64 220 120)",
  empties: "rgb(255 170 40)",
  residual: "rgb(230 60 200 / 45%)",
  containers: "rgb(40 150 255)",
  marked: "rgb(255 255 255)",
};
const DOT_BELOW_PX = 3;
const NUMBER_FROM_PX = 44;

export class Overlay {
  private readonly canvas = document.createElement("canvas");
  private readonly shown = new Set<Layer>(["containers", "plants", "empties", "residual"]);
  private marked: number | null = null;

  constructor(
    private readonly viewer: OpenSeadragon.Viewer,
    private readonly drawn: Drawn,
  ) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    viewer.canvas.append(this.canvas);
    viewer.addHandler("update-viewport", () => this.draw());
    this.draw();
  }

  show(layer: Layer, is: boolean): void {
    if (is) this.shown.add(layer);
    else this.shown.delete(layer);
    this.draw();
  }

  select(index: number | null): void {
    this.marked = index;
    this.draw();
  }

  // The smallest container around a point of the image: one may lie in another.
  containerAt(x: number, y: number): number | null {
    const around = this.drawn.containers.filter((c) => isInside(c.polygon, x, y));
    around.sort((a, b) => area(a.polygon) - area(b.polygon));
    return around[0]?.index ?? null;
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
    const dense = window.devicePixelRatio || 1;
    if (this.canvas.width !== width * dense || this.canvas.height !== height * dense) {
      this.canvas.width = width * dense;
      this.canvas.height = height * dense;
    }
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineJoin = "round";
    const view = this.view(width, height);
    if (this.shown.has("residual")) this.drawResidual(pen, view);
    if (this.shown.has("plants")) drawRows(pen, view, this.drawn.plants, COLOURS.plants, true);
    if (this.shown.has("empties")) drawRows(pen, view, this.drawn.empties, COLOURS.empties, false);
    if (this.shown.has("containers")) this.drawContainers(pen, view);
  }

  // Pixels of the picture that is shown for one of the photo: a long photo is shown smaller.
  get share(): number {
    return this.viewer.world.getItemAt(0).getContentSize().x / this.drawn.width_px;
  }

  // From pixels of the photo to those of the viewer: one scale, one shift.
  private view(width: number, height: number): View {
    const { viewport } = this.viewer;
    const edge = this.drawn.width_px * this.share;
    const origin = viewport.imageToViewerElementCoordinates(point(0, 0, this.viewer));
    const far = viewport.imageToViewerElementCoordinates(point(edge, 0, this.viewer));
    const scale = (far.x - origin.x) / this.drawn.width_px;
    return { x: origin.x, y: origin.y, scale, width, height };
  }

  private drawResidual(pen: CanvasRenderingContext2D, view: View): void {
    pen.fillStyle = COLOURS.residual;
    pen.beginPath();
    for (const polygon of this.drawn.residual) trace(pen, view, polygon);
    pen.fill();
  }

  private drawContainers(pen: CanvasRenderingContext2D, view: View): void {
    pen.font = "600 13px system-ui, sans-serif";
    pen.textBaseline = "top";
    for (const container of this.drawn.containers) {
      const isMarked = container.index === this.marked;
      pen.beginPath();
      trace(pen, view, container.polygon);
      pen.lineWidth = isMarked ? 6 : 2.5;
      pen.strokeStyle = isMarked ? COLOURS.marked : COLOURS.containers;
      pen.stroke();
      if (isMarked) {
        pen.lineWidth = 2.5;
        pen.strokeStyle = COLOURS.containers;
        pen.stroke();
      }
      this.drawNumber(pen, view, container);
    }
  }

  // At the upper left corner, where the container is large enough to leave something to see.
  private drawNumber(pen: CanvasRenderingContext2D, view: View, container: Container): void {
    const xs = container.polygon.map(([x]) => x);
    const wide = (Math.max(...xs) - Math.min(...xs)) * view.scale;
    if (wide < NUMBER_FROM_PX && container.index !== this.marked) return;
    const [x, y] = container.polygon.reduce((a, b) => (b[0] + b[1] < a[0] + a[1] ? b : a));
    const [left, top] = [x * view.scale + view.x, y * view.scale + view.y];
    label(pen, String(container.index), Math.max(left, 0) + 5, Math.max(top, 0) + 5);
  }
}

interface View {
  x: number;
  y: number;
  scale: number;
  width: number;
  height: number;
}

// The viewer's own class of points, without loading the library a second time.
function point(x: number, y: number, viewer: OpenSeadragon.Viewer): OpenSeadragon.Point {
  const made = viewer.viewport.getCenter();
  made.x = x;
  made.y = y;
  return made;
}

function trace(pen: CanvasRenderingContext2D, view: View, polygon: Point[]): void {
  polygon.forEach(([x, y], at) => {
    const [px, py] = [x * view.scale + view.x, y * view.scale + view.y];
    if (at === 0) pen.moveTo(px, py);
    else pen.lineTo(px, py);
  });
  pen.closePath();
}

function drawRows(
  pen: CanvasRenderingContext2D, view: View, rows: Row[], colour: string, round: boolean,
): void {
  pen.beginPath();
  for (const [x1, y1, x2, y2] of rows) {
    const x = ((x1 + x2) / 2) * view.scale + view.x;
    const y = ((y1 + y2) / 2) * view.scale + view.y;
    const rx = ((x2 - x1) / 2) * view.scale;
    const ry = ((y2 - y1) / 2) * view.scale;
    if (x + rx < 0 || y + ry < 0 || x - rx > view.width || y - ry > view.height) continue;
    if (Math.max(rx, ry) < DOT_BELOW_PX) pen.rect(x - 1, y - 1, 2, 2);
    else if (round) {
      pen.moveTo(x + rx, y);
      pen.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
    } else pen.rect(x - rx, y - ry, rx * 2, ry * 2);
  }
  pen.lineWidth = 3.5;
  pen.strokeStyle = "rgb(0 0 0 / 45%)"; // an edge that shows on light leaves
  pen.stroke();
  pen.lineWidth = 2;
  pen.strokeStyle = colour;
  pen.stroke();
}

function label(pen: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  const width = pen.measureText(text).width;
  pen.fillStyle = "rgb(0 0 0 / 75%)";
  pen.fillRect(x - 4, y - 3, width + 8, 20);
  pen.fillStyle = "white";
  pen.fillText(text, x, y);
}

function isInside(polygon: Point[], x: number, y: number): boolean {
  let inside = false;
  polygon.forEach(([ax, ay], at) => {
    const [bx, by] = polygon.at(at - 1)!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

function area(polygon: Point[]): number {
  return Math.abs(
    polygon.reduce((sum, [ax, ay], at) => {
      const [bx, by] = polygon.at(at - 1)!;
      return sum + ax * by - bx * ay;
    }, 0),
  ) / 2;
}
