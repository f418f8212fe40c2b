// The corners of an outline: places to take hold of, large enough for a finger, and between them
// smaller ones that become corners.
import type { View } from "./canvas";
import type { Point } from "./marks";
import type { Outline } from "./outline";

const APART_PX = 44; // on the screen: between closer corners none is added

export interface CornerActs {
  pick(corner: number): void;
  drag(outline: Outline): void;
  drop(outline: Outline, before: Outline): void;
}

export class Corners {
  private readonly layer = document.createElement("div");
  private readonly parts: HTMLElement[] = [];
  private outline: Outline | null = null;
  private view: View = { x: 0, y: 0, scale: 1 };
  private taken: { corner: number; before: Outline; outline: Outline; x: number; y: number } | null = null;

  constructor(place: HTMLElement, private readonly acts: CornerActs) {
    this.layer.className = "handles corners";
    this.layer.hidden = true;
    place.append(this.layer);
  }

  show(outline: Outline | null, chosen: number, view: View): void {
    this.layer.hidden = outline === null;
    this.outline = outline;
    this.view = view;
    if (!outline) return;
    const places = outline.map(([x, y]) => [x * view.scale + view.x, y * view.scale + view.y] as Point);
    places.forEach((at, n) => this.put(n * 2, at, n === chosen ? "corner chosen" : "corner", true));
    places.forEach(([x, y], n) => {
      const [nx, ny] = places[(n + 1) % places.length]!;
      const isWide = Math.hypot(nx - x, ny - y) >= APART_PX;
      this.put(n * 2 + 1, [(x + nx) / 2, (y + ny) / 2], "corner between", isWide);
    });
    for (const part of this.parts.slice(outline.length * 2)) part.hidden = true;
  }

  private put(n: number, [x, y]: Point, name: string, isShown: boolean): void {
    this.parts[n] ??= this.made(n);
    const part = this.parts[n];
    part.hidden = !isShown;
    part.className = `handle ${name}`;
    part.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }

  private made(n: number): HTMLElement {
    const part = document.createElement("span");
    part.addEventListener("pointerdown", (event) => this.take(event, n, part));
    part.addEventListener("pointermove", (event) => this.drag(event));
    part.addEventListener("pointerup", (event) => this.drop(event));
    part.addEventListener("pointercancel", (event) => this.drop(event));
    this.layer.append(part);
    return part;
  }

  // One between two corners becomes a corner when it is taken.
  private take(event: PointerEvent, n: number, part: HTMLElement): void {
    if (!this.outline) return;
    event.stopPropagation();
    part.setPointerCapture(event.pointerId);
    const before = this.outline;
    const corner = (n >> 1) + (n % 2);
    const outline = n % 2 ? [...before.slice(0, corner), half(before, n >> 1), ...before.slice(corner)] : before;
    this.taken = { corner, before, outline, x: event.clientX, y: event.clientY };
    this.acts.pick(corner);
  }

  private drag(event: PointerEvent): void {
    if (!this.taken) return;
    event.stopPropagation();
    this.acts.drag(this.moved(event));
  }

  private drop(event: PointerEvent): void {
    if (!this.taken) return;
    event.stopPropagation();
    const [outline, before] = [this.moved(event), this.taken.before];
    this.taken = null;
    this.acts.drop(outline, before);
  }

  private moved(event: PointerEvent): Outline {
    const { corner, outline, x, y } = this.taken!;
    const [dx, dy] = [(event.clientX - x) / this.view.scale, (event.clientY - y) / this.view.scale];
    return outline.map(([cx, cy], at) => (at === corner ? [cx + dx, cy + dy] : [cx, cy]));
  }
}

export function half(outline: Outline, edge: number): Point {
  const [[ax, ay], [bx, by]] = [outline[edge]!, outline[(edge + 1) % outline.length]!];
  return [(ax + bx) / 2, (ay + by) / 2];
}
