// What was counted, drawn over the photo: thousands of plants.
import type OpenSeadragon from "openseadragon";
import { Layer, type Drawing, type View } from "./layer";

export type Kind = "containers" | "plants" | "empties" | "residual";
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
const AT_ONCE = 60; // marks of one stroke

export class Overlay implements Drawing {
  private readonly layer: Layer;
  private readonly shown = new Set<Kind>(["containers", "plants", "empties", "residual"]);
  private marked: Container | null = null;

  constructor(
    viewer: OpenSeadragon.Viewer,
    private readonly drawn: Drawn,
  ) {
    this.layer = new Layer(viewer, this);
    this.layer.renew();
  }

  get photoWidth(): number {
    return this.drawn.width_px;
  }

  show(kind: Kind, is: boolean): void {
    if (this.shown.has(kind) === is) return;
    if (is) this.shown.add(kind);
    else this.shown.delete(kind);
    this.layer.renew();
  }

  select(index: number | null): void {
    this.marked = this.drawn.containers.find((one) => one.index === index) ?? null;
    this.layer.again();
  }

  // The smallest container around a point of the photo: one may lie in another.
  containerAt(x: number, y: number): number | null {
    const around = this.drawn.containers.filter((c) => isInside(c.polygon, x, y));
    around.sort((a, b) => area(a.polygon) - area(b.polygon));
    return around[0]?.index ?? null;
  }

  *steps(pen: CanvasRenderingContext2D, view: View): Iterator<void> {
    pen.lineJoin = "round";
    if (this.shown.has("residual")) yield drawResidual(pen, view, this.drawn.residual);
    if (this.shown.has("plants")) yield* drawRows(pen, view, this.drawn.plants, COLOURS.plants, true);
    if (this.shown.has("empties")) yield* drawRows(pen, view, this.drawn.empties, COLOURS.empties, false);
    if (!this.shown.has("containers")) return;
    for (const container of this.drawn.containers) {
      outline(pen, view, container, COLOURS.containers, 2.5);
      yield drawNumber(pen, view, container, false);
    }
  }

  above(pen: CanvasRenderingContext2D, view: View): void {
    if (!this.marked) return;
    outline(pen, view, this.marked, COLOURS.marked, 6);
    outline(pen, view, this.marked, COLOURS.containers, 2.5);
    drawNumber(pen, view, this.marked, true);
  }
}

function drawResidual(pen: CanvasRenderingContext2D, view: View, residual: Point[][]): void {
  pen.fillStyle = COLOURS.residual;
  pen.beginPath();
  for (const polygon of residual) trace(pen, view, polygon);
  pen.fill();
}

function outline(
  pen: CanvasRenderingContext2D, view: View, container: Container, colour: string, wide: number,
): void {
  pen.beginPath();
  trace(pen, view, container.polygon);
  pen.lineWidth = wide;
  pen.strokeStyle = colour;
  pen.stroke();
}

// At the upper left corner, where the container is large enough to leave something to see.
function drawNumber(
  pen: CanvasRenderingContext2D, view: View, container: Container, isMarked: boolean,
): void {
  const xs = container.polygon.map(([x]) => x);
  const wide = (Math.max(...xs) - Math.min(...xs)) * view.scale;
  if (wide < NUMBER_FROM_PX && !isMarked) return;
  const [x, y] = container.polygon.reduce((a, b) => (b[0] + b[1] < a[0] + a[1] ? b : a));
  const [left, top] = [x * view.scale + view.x, y * view.scale + view.y];
  label(pen, String(container.index), Math.max(left, 0) + 5, Math.max(top, 0) + 5);
}

function trace(pen: CanvasRenderingContext2D, view: View, polygon: Point[]): void {
  polygon.forEach(([x, y], at) => {
    const [px, py] = [x * view.scale + view.x, y * view.scale + view.y];
    if (at === 0) pen.moveTo(px, py);
    else pen.lineTo(px, py);
  });
  pen.closePath();
}

function* drawRows(
  pen: CanvasRenderingContext2D, view: View, rows: Row[], colour: string, round: boolean,
): Generator<void> {
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    pen.beginPath();
    for (const row of rows.slice(at, at + AT_ONCE)) traceRow(pen, view, row, round);
    pen.lineWidth = 3.5;
    pen.strokeStyle = "rgb(0 0 0 / 45%)"; // an edge that shows on light leaves
    pen.stroke();
    pen.lineWidth = 2;
    pen.strokeStyle = colour;
    pen.stroke();
    yield;
  }
}

function traceRow(pen: CanvasRenderingContext2D, view: View, [x1, y1, x2, y2]: Row, round: boolean): void {
  const x = ((x1 + x2) / 2) * view.scale + view.x;
  const y = ((y1 + y2) / 2) * view.scale + view.y;
  const rx = ((x2 - x1) / 2) * view.scale;
  const ry = ((y2 - y1) / 2) * view.scale;
  if (x + rx < 0 || y + ry < 0 || x - rx > view.width || y - ry > view.height) return;
  if (Math.max(rx, ry) < DOT_BELOW_PX) pen.rect(x - 1, y - 1, 2, 2);
  else if (round) {
    pen.moveTo(x + rx, y);
    pen.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
  } else pen.rect(x - rx, y - ry, rx * 2, ry * 2);
}

function label(pen: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  pen.font = "600 13px system-ui, sans-serif";
  pen.textBaseline = "top";
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
