// Containers: chosen, given another type or outline, split, merged, and said to be one of before;
// by hand and by keyboard.
import type { BinsBeside } from "./bins-beside";
import type { View } from "./canvas";
import { ContainerDrawing } from "./container-drawing";
import type { Drawn } from "./containers";
import { Corners, half } from "./corners";
import { CutLine } from "./cut-line";
import type { Point } from "./marks";
import { press, type Notes } from "./notes";
import { fill, plain } from "./numbers";
import { centroid, type Outline } from "./outline";
import type { Scene } from "./scene";

const MANY = 8; // changed at once: then all is drawn anew

type Mode = "outline" | "split" | "merge" | "same";

export class ContainerTool {
  chosen: Drawn | null = null;
  private mode: Mode | null = null;
  private corner = 0;
  private outline: Outline | null = null; // while it is dragged
  private line: CutLine | null = null;
  private lineNow: [Point, Point] | null = null;
  private candidate: Drawn | null = null;
  private readonly drawing = new ContainerDrawing();
  private readonly corners: Corners;
  private readonly bar: HTMLElement | null;

  constructor(
    figure: HTMLElement,
    private readonly scene: Scene,
    private readonly notes: Notes,
    private readonly beside: BinsBeside,
    private readonly edited: (isUndone: boolean) => void,
    place: HTMLElement,
  ) {
    this.corners = new Corners(place, {
      pick: (corner) => { this.corner = corner; },
      drag: (outline) => this.drag(outline),
      drop: (outline) => this.reshape(outline),
    });
    this.bar = figure.querySelector<HTMLElement>("[data-container-tools]");
    for (const button of this.bar?.querySelectorAll<HTMLElement>("[data-type]") ?? []) {
      button.addEventListener("click", () => this.retype(button.dataset.type!));
    }
    for (const button of this.bar?.querySelectorAll<HTMLElement>("[data-shape]") ?? []) {
      button.addEventListener("click", () => this.begin(button.dataset.shape!));
    }
  }

  // On top of the photo and its marks, at each frame.
  draw(pen: CanvasRenderingContext2D, view: View): void {
    const { chosen, outline, candidate } = this;
    const line = this.lineNow ?? (this.line && !this.line.first ? this.line.ends : null);
    this.drawing.drawChosen(pen, view, { chosen, outline, candidate, line });
    this.corners.show(this.mode === "outline" ? outline ?? chosen?.outline ?? null : null, this.corner, view);
  }

  // With the marks, on a sheet that is kept.
  drawAll(pen: CanvasRenderingContext2D, view: View): void {
    this.drawing.drawAll(pen, view);
  }

  // The list is another one, or the photo is: only what changed is drawn anew.
  renew(): void {
    const { containers, position, grid, canvas } = this.scene;
    const changed = this.drawing.renew(containers.at(position));
    if (changed.length > MANY) canvas.renew();
    else for (const { box } of changed) canvas.touch(box, grid.touching(canvas.around(box)));
    canvas.again();
  }

  choose(one: Drawn | null): void {
    if (one !== this.chosen) this.leave();
    this.chosen = one;
    if (this.bar) this.bar.hidden = one === null;
    this.scene.canvas.again();
    if (!one) return;
    this.showBar();
    this.tellOf(one);
    this.scene.bringIntoView(centroid(one.outline));
  }

  // Whether the key was for a container.
  key(event: KeyboardEvent, arrow: Point | null): boolean {
    if (this.beside.isOpen) return this.beside.key(event);
    const key = event.key.toLowerCase();
    if (this.mode && this.keyOfMode(event, key, arrow)) return true;
    if (["c", "s", "m", "b"].includes(key)) return this.begin({ c: "outline", s: "split", m: "merge", b: "same" }[key]!);
    if (!this.chosen) return false;
    if (arrow) return this.go(arrow);
    if (/^[1-5]$/.test(key)) return this.retype(this.types[Number(key) - 1]!);
    if (key === "escape" || key === "enter") return this.release();
    return false;
  }

  // Tab goes from one to the next, and on from the last.
  tab(isBack: boolean): boolean {
    if (this.mode === "outline" && this.chosen) {
      const n = this.chosen.outline.length;
      this.corner = (this.corner + (isBack ? n - 1 : 1)) % n;
      this.scene.canvas.again();
      return true;
    }
    const all = this.scene.containers.at(this.scene.position);
    const at = this.chosen ? all.indexOf(this.chosen) + (isBack ? -1 : 1) : isBack ? all.length - 1 : 0;
    const next = all[at];
    this.choose(next ?? null);
    return next !== undefined;
  }

  click(at: Point): boolean {
    if (this.mode === "split") return this.clickLine(at);
    const one = this.scene.containers.around(this.scene.position, at);
    if (this.mode === "merge") {
      if (one && one !== this.chosen) this.merge(one);
      return true;
    }
    if (this.mode === "outline" && one === this.chosen) return true;
    this.choose(one);
    return one !== null;
  }

  follow(at: Point): void {
    if (this.mode !== "split" || !this.line) return;
    this.lineNow = this.line.follow(at);
    if (this.lineNow) this.scene.canvas.again();
  }

  undo(): boolean {
    const chosen = this.scene.containers.undo();
    if (chosen === undefined) return false;
    this.done(chosen, true);
    return true;
  }

  get isBusy(): boolean {
    return this.mode !== null || this.beside.isOpen;
  }

  begin(what: string): boolean {
    const one = this.chosen ?? this.nearest();
    if (what === "corner-add") return this.addCorner();
    if (what === "corner-remove") return this.removeCorner();
    if (!one) return false;
    const isSame = this.mode === what;
    this.choose(one);
    this.leave();
    if (isSame || what === "choose") return true;
    if (what === "same") return this.beginSame(one);
    this.mode = what as Mode;
    if (what === "split") this.line = new CutLine(one);
    if (what === "merge") this.candidate = this.neighbour(one, [0, 0]);
    if (what === "merge" && !this.candidate) {
      this.leave();
      this.notes.say("alone");
    }
    this.corner = Math.min(this.corner, one.outline.length - 1);
    if (this.mode) this.notes.tell(this.notes.words(`mode${this.mode[0]!.toUpperCase()}${this.mode.slice(1)}`));
    this.showBar();
    this.scene.canvas.again();
    return true;
  }

  leave(): void {
    this.mode = this.outline = this.line = this.lineNow = this.candidate = null;
    this.beside.close();
    this.showBar();
    this.scene.canvas?.again();
  }

  private keyOfMode(event: KeyboardEvent, key: string, arrow: Point | null): boolean {
    if (key === "escape") {
      this.leave();
      return true;
    }
    switch (this.mode) {
      case "outline":
        if (arrow) return this.shiftCorner(arrow, event.shiftKey || event.altKey);
        if (key === "n" || key === "insert") return this.addCorner();
        if (key === "delete" || key === "backspace") return this.removeCorner();
        break;
      case "split":
        if (arrow) return this.shiftLine(arrow, event);
        if (key === "enter") return this.split(this.lineNow ?? this.line!.ends);
        break;
      case "merge":
        if (arrow) this.candidate = this.neighbour(this.candidate ?? this.chosen!, arrow) ?? this.candidate;
        if (arrow) this.scene.canvas.again();
        if ((key === "enter" || key === "m") && this.candidate) this.merge(this.candidate);
        return arrow !== null || key === "enter" || key === "m";
      default:
    }
    if (key !== "enter") return false;
    this.leave();
    return true;
  }

  private release(): boolean {
    this.choose(null);
    return true;
  }

  private go(arrow: Point): boolean {
    const next = this.neighbour(this.chosen!, arrow);
    if (next) this.choose(next);
    return true;
  }

  // The nearest other one in a direction; without one, the nearest of all.
  private neighbour(from: Drawn, [dx, dy]: Point): Drawn | null {
    const [x, y] = centroid(from.outline);
    let [best, least] = [null as Drawn | null, Infinity];
    for (const one of this.scene.containers.at(this.scene.position)) {
      if (one === from || one === this.chosen) continue;
      const [ox, oy] = centroid(one.outline);
      const along = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      const cost = dx || dy ? along + aside * 2 : Math.hypot(ox - x, oy - y);
      if ((dx || dy) && along <= 0) continue;
      if (cost < least) [best, least] = [one, cost];
    }
    return best;
  }

  private nearest(): Drawn | null {
    const { containers, position, canvas } = this.scene;
    const [x, y] = canvas.selected ? centroid(boxed(canvas.selected.box)) : this.scene.centre();
    const around = containers.around(position, [x, y]);
    if (around) return around;
    const all = containers.at(position).map((one) => ({ one, at: centroid(one.outline) }));
    all.sort((a, b) => Math.hypot(a.at[0] - x, a.at[1] - y) - Math.hypot(b.at[0] - x, b.at[1] - y));
    return all[0]?.one ?? null;
  }

  private retype(type: string): boolean {
    if (!this.chosen) return false;
    if (this.chosen.type !== type) this.done(this.scene.containers.retype(this.chosen, type));
    return true;
  }

  private drag(outline: Outline): void {
    this.outline = outline;
    this.scene.canvas.again();
  }

  private reshape(outline: Outline): void {
    this.outline = null;
    if (!this.chosen) return;
    const photo = this.scene.marks.outline(this.scene.position)!;
    const inside = outline.map(([x, y]) => [
      Math.round(Math.min(Math.max(0, x), photo.width_px)), Math.round(Math.min(Math.max(0, y), photo.height_px)),
    ] as Point);
    const made = this.scene.containers.reshape(this.chosen, inside);
    if (made) this.done(made);
    else this.notes.say("crosses");
    this.scene.canvas.again();
  }

  private shiftCorner([dx, dy]: Point, isFar: boolean): boolean {
    const { outline, box: [x1, y1, x2, y2] } = this.chosen!;
    const step = Math.max(1, Math.max(x2 - x1, y2 - y1) / (isFar ? 10 : 100));
    this.reshape(outline.map(([x, y], at) => (at === this.corner ? [x + dx * step, y + dy * step] : [x, y])));
    return true;
  }

  private addCorner(): boolean {
    if (this.mode !== "outline" || !this.chosen) return false;
    const { outline } = this.chosen;
    const next = half(outline, this.corner);
    this.corner += 1;
    this.reshape([...outline.slice(0, this.corner), next, ...outline.slice(this.corner)]);
    return true;
  }

  private removeCorner(): boolean {
    if (this.mode !== "outline" || !this.chosen) return false;
    const left = this.chosen.outline.filter((_, at) => at !== this.corner);
    if (left.length > 2) this.reshape(left);
    else this.notes.say("crosses");
    this.corner = Math.min(this.corner, this.chosen.outline.length - 1);
    return true;
  }

  private shiftLine(arrow: Point, event: KeyboardEvent): boolean {
    if (event.altKey) this.line!.turn(arrow);
    else this.line!.shift(arrow, event.shiftKey);
    this.scene.canvas.again();
    return true;
  }

  private clickLine(at: Point): boolean {
    const line = this.line!.click(at);
    if (line) this.split(line);
    return true;
  }

  private split([from, to]: [Point, Point]): boolean {
    const parts = this.scene.containers.split(this.chosen!, from, to);
    if (parts) this.done(parts[0]!);
    else this.notes.say("notCut");
    if (!parts) this.leave();
    return true;
  }

  private merge(other: Drawn): void {
    this.done(this.scene.containers.merge(this.chosen!, other));
  }

  private beginSame(one: Drawn): boolean {
    const isOpen = this.beside.open(one.bin, (bin) => this.done(this.scene.containers.sameBin(one, bin)));
    if (!isOpen) this.notes.say("noBins");
    else this.scene.showWhole();
    return true;
  }

  private done(one: Drawn | null, isUndone = false): void {
    const mode = this.mode;
    this.leave();
    this.chosen = one;
    if (mode === "outline" && one) this.mode = "outline";
    this.scene.follow();
    this.renew();
    if (this.bar) this.bar.hidden = one === null;
    this.showBar();
    this.edited(isUndone);
    if (one) this.tellOf(one);
  }

  private get types(): string[] {
    return [...(this.bar?.querySelectorAll<HTMLElement>("[data-type]") ?? [])].map((one) => one.dataset.type!);
  }

  private showBar(): void {
    if (!this.bar) return;
    press(this.bar, "[data-type]", (button) => button.dataset.type === this.chosen?.type);
    press(this.bar, "[data-shape][aria-pressed]", (button) => button.dataset.shape === this.mode);
    for (const one of this.bar.querySelectorAll<HTMLElement>("[data-corner]")) one.hidden = this.mode !== "outline";
  }

  private tellOf(one: Drawn): void {
    const n = plain(this.scene.containers.number(one));
    const kind = this.bar?.querySelector(`[data-type=${one.type}] span`)?.textContent ?? "";
    const total = plain(this.scene.containers.all.length);
    this.notes.tell(fill(this.notes.words("container"), { n, total, kind }));
    const name = this.bar?.querySelector<HTMLElement>("[data-container-name]");
    if (name) name.textContent = fill(name.dataset.text ?? "", { n });
  }
}

function boxed([x1, y1, x2, y2]: [number, number, number, number]): Outline {
  return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
}
