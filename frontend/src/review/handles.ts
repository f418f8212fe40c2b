// The selected mark's handles: places to take hold of, large enough for a finger.
import type { View } from "./canvas";
import type { Box } from "./marks";

type Side = "n" | "e" | "s" | "w" | "whole";

const APART_PX = 24; // on the screen: the sides of a small mark leave room to take hold of it
const LEAST_PX = 6; // of the photo: no mark becomes smaller

export class Handles {
  private readonly layer = document.createElement("div");
  private readonly parts = new Map<Side, HTMLElement>();
  private taken: { side: Side; x: number; y: number; box: Box } | null = null;
  private box: Box | null = null;
  private scale = 1;

  constructor(
    place: HTMLElement,
    private readonly dragged: (box: Box) => void,
    private readonly dropped: (box: Box, before: Box) => void,
  ) {
    this.layer.className = "handles";
    for (const side of ["whole", "n", "e", "s", "w"] as Side[]) {
      const part = document.createElement("span");
      part.className = `handle ${side}`;
      part.addEventListener("pointerdown", (event) => this.take(event, side, part));
      part.addEventListener("pointermove", (event) => this.drag(event));
      part.addEventListener("pointerup", (event) => this.drop(event));
      part.addEventListener("pointercancel", (event) => this.drop(event));
      this.layer.append(part);
      this.parts.set(side, part);
    }
    place.append(this.layer);
    this.show(null, { x: 0, y: 0, scale: 1 });
  }

  show(box: Box | null, view: View): void {
    this.layer.hidden = box === null;
    this.box = box;
    this.scale = view.scale;
    if (!box) return;
    const [x1, y1, x2, y2] = box.map((edge, at) => edge * view.scale + (at % 2 ? view.y : view.x)) as Box;
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const [rx, ry] = [Math.max((x2 - x1) / 2, APART_PX), Math.max((y2 - y1) / 2, APART_PX)];
    const at: Record<Side, [number, number]> = {
      n: [x, y - ry], e: [x + rx, y], s: [x, y + ry], w: [x - rx, y], whole: [x, y],
    };
    for (const [side, part] of this.parts) {
      const [px, py] = at[side];
      part.style.transform = `translate(${px}px, ${py}px) translate(-50%, -50%)`;
    }
    const whole = this.parts.get("whole")!;
    whole.style.width = `${Math.max(24, x2 - x1)}px`;
    whole.style.height = `${Math.max(24, y2 - y1)}px`;
  }

  private take(event: PointerEvent, side: Side, part: HTMLElement): void {
    if (!this.box) return;
    event.stopPropagation();
    part.setPointerCapture(event.pointerId);
    this.taken = { side, x: event.clientX, y: event.clientY, box: this.box };
  }

  private drag(event: PointerEvent): void {
    if (!this.taken) return;
    event.stopPropagation();
    this.dragged(this.boxAt(event));
  }

  private drop(event: PointerEvent): void {
    if (!this.taken) return;
    event.stopPropagation();
    const [box, before] = [this.boxAt(event), this.taken.box];
    this.taken = null;
    this.dropped(box, before);
  }

  private boxAt(event: PointerEvent): Box {
    const { side, x, y, box } = this.taken!;
    const [dx, dy] = [(event.clientX - x) / this.scale, (event.clientY - y) / this.scale];
    const [x1, y1, x2, y2] = box;
    switch (side) {
      case "n": return [x1, Math.min(y1 + dy, y2 - LEAST_PX), x2, y2];
      case "s": return [x1, y1, x2, Math.max(y2 + dy, y1 + LEAST_PX)];
      case "w": return [Math.min(x1 + dx, x2 - LEAST_PX), y1, x2, y2];
      case "e": return [x1, y1, Math.max(x2 + dx, x1 + LEAST_PX), y2];
      default: return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
    }
  }
}
