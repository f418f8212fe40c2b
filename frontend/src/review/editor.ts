// Editing on the photo: what is selected, added, removed and moved, by hand and by keyboard.
import type OpenSeadragon from "openseadragon";
import { MarksCanvas } from "./canvas";
import { Figures } from "./figures";
import { Grid, overlap } from "./grid";
import { Handles } from "./handles";
import { Marks, middle, type Box, type Mark, type Point } from "./marks";
import { fill, plain } from "./numbers";
import * as server from "./save";
import { openViewer, tilesOf, type PhotoSource, type Tiles } from "../viewer";

type Tool = "select" | "plant" | "empty";

const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};
const SLACK_PX = 6; // on the screen: how far from a mark a click may be
const PLANT_PX = 40; // of the photo, where there is no other plant to be like

export class Editor {
  private marks!: Marks;
  private grid!: Grid;
  private etag = "*";
  private tool: Tool = "select";
  private position: number;
  private pointer: Point | null = null;
  private usual: Point | null = null; // how large plants are on this photo
  private pressed: { mark: Mark; before: Box; at: Point } | null = null;
  private readonly views = new Map<number, PhotoSource>();
  private readonly figures = new Figures();
  private canvas!: MarksCanvas;
  private handles!: Handles;
  private viewer!: OpenSeadragon.Viewer;

  constructor(
    private readonly figure: HTMLElement,
    private readonly session: string,
  ) {
    const views = (figure.dataset.views ?? "").trim().split(/\s+/);
    for (let at = 0; at + 4 < views.length; at += 5) {
      const [position, width, height] = views.slice(at, at + 3).map(Number);
      this.views.set(position!, { width: width!, height: height!, screen: views[at + 3]!, view: views[at + 4]! });
    }
    this.position = [...this.views.keys()][0] ?? 1;
  }

  async start(): Promise<void> {
    const first = this.position;
    const tilesOfFirst = this.tiles(first);
    const read = await this.read();
    if (!read) return this.say("drawingFailed", true);
    const counted = read.outlines.map((one) => one.position);
    if (!counted.includes(this.position)) this.position = counted[0] ?? this.position;
    const tiles = this.position === first ? await tilesOfFirst : await this.tiles(this.position);
    if (!tiles) return this.say("drawingFailed", true);
    this.open(tiles);
    const kept = server.kept(this.session);
    if (kept) this.marks.apply(kept);
    this.changed();
  }

  // What is read of the server is what is edited from now on.
  private async read(): Promise<server.Read | null> {
    const { correctionsUrl = "", detectionsUrl = "" } = this.figure.dataset;
    const read = await server.read(correctionsUrl, detectionsUrl);
    if (!read) return null;
    this.marks = new Marks(read.containers, read.marks, read.outlines);
    this.grid = new Grid(this.marks.at(this.position));
    this.etag = read.etag;
    return read;
  }

  private tiles(position: number): Promise<Tiles | null> {
    return tilesOf(this.views.get(position)!).catch(() => null);
  }

  private open(tiles: Tiles): void {
    const stage = this.figure.querySelector<HTMLElement>("[data-stage]")!;
    const place = document.createElement("div");
    place.className = "viewer";
    place.tabIndex = 0;
    place.setAttribute("role", "application");
    place.setAttribute("aria-label", this.figure.dataset.textPicture ?? "");
    stage.append(place);
    this.viewer = openViewer(place, tiles, this.figure.dataset, {
      maxZoomPixelRatio: 8,
      animationTime: 0.4,
      cooperativeGestures: matchMedia("(pointer: coarse)").matches, // one finger scrolls the page
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false, scrollToZoom: true },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
      keyboardNavEnabled: false,
    });
    this.canvas = new MarksCanvas(this.viewer, () => this.placeHandles());
    this.handles = new Handles(place, (box) => this.drag(box), (box, before) => this.drop(box, before));
    this.viewer.addHandler("tile-drawn", () => { stage.dataset.ready = "true"; });
    this.viewer.addHandler("open", () => this.changed());
    this.viewer.addHandler("canvas-press", (event) => this.press(event.position));
    this.viewer.addHandler("canvas-drag", (event) => this.dragOnCanvas(event));
    this.viewer.addHandler("canvas-release", () => this.release());
    this.viewer.addHandler("canvas-click", (event) => {
      if (event.quick) this.click(this.canvas.toPhoto(event.position.x, event.position.y));
    });
    place.addEventListener("pointermove", (event) => this.follow(event, place));
    place.addEventListener("pointerleave", () => { this.pointer = null; });
    this.wireTools();
  }

  private wireTools(): void {
    const tools = this.figure.querySelector<HTMLElement>("[data-tools]")!;
    tools.hidden = false;
    for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-tool]")) {
      button.addEventListener("click", () => {
        const name = button.dataset.tool!;
        if (name === "remove") this.remove();
        else if (name === "undo") this.undo();
        else this.take(name as Tool);
      });
    }
    for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-position]")) {
      button.addEventListener("click", () => this.turnTo(Number(button.dataset.position)));
    }
  }

  private turnTo(position: number): void {
    this.position = position;
    this.canvas.selected = null;
    press(this.figure, "[data-position]", (button) => button.dataset.position === String(position));
    void this.tiles(position).then((tiles) => {
      if (position !== this.position) return; // another one was asked for meanwhile
      if (!tiles) return this.say("drawingFailed", true);
      this.viewer.open(tiles as never);
      this.changed();
    });
  }

  private take(tool: Tool): void {
    this.tool = tool;
    press(this.figure, "[data-tool][aria-pressed]", (button) => button.dataset.tool === tool);
    this.figure.dataset.tool = tool;
  }

  get isChanged(): boolean {
    return this.marks?.isChanged ?? false;
  }

  // Whether the key was this editor's.
  key(event: KeyboardEvent): boolean {
    if (!this.canvas) return false;
    const arrow = ARROWS[event.key];
    if (arrow) return event.altKey ? this.shift(arrow, event.shiftKey) : this.go(arrow);
    switch (event.key.toLowerCase()) {
      case "p": return this.put(false);
      case "o": return this.put(true);
      case "delete": case "backspace": return this.remove();
      case "z": return this.undo();
      case "enter": return this.let(event.target);
      case "escape": this.take("select"); return this.let(null);
      case "+": return this.zoom(1.5);
      case "-": return this.zoom(1 / 1.5);
      default: return false;
    }
  }

  private zoom(factor: number): boolean {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
    return true;
  }

  private let(target: EventTarget | null): boolean {
    const isElsewhere = target instanceof HTMLElement && target.closest("a, button, summary, input");
    if (!this.canvas.selected || isElsewhere) return false;
    this.select(null);
    return true;
  }

  private go(arrow: Point): boolean {
    const from = this.canvas.selected;
    const next = from ? this.grid.towards(from, arrow) : this.grid.nearest(this.centre());
    if (next) this.select(next);
    return next !== null || from !== null;
  }

  private shift([dx, dy]: Point, isFar: boolean): boolean {
    const mark = this.canvas.selected;
    if (!mark) return false;
    const [x1, y1, x2, y2] = mark.box;
    const step = Math.max(1, (x2 - x1) / (isFar ? 2 : 10));
    const box: Box = [x1 + dx * step, y1 + dy * step, x2 + dx * step, y2 + dy * step];
    const before = mark.box;
    if (this.within(box) && this.marks.move(mark, box)) this.edited("moved", mark, [before, box]);
    else this.say("outside");
    return true;
  }

  private remove(): boolean {
    const mark = this.canvas.selected;
    if (!mark) return false;
    this.marks.remove(mark);
    this.edited("removed", mark, [mark.box]);
    this.select(this.grid.nearest(middle(mark.box)));
    return true;
  }

  private undo(): boolean {
    const undone = this.marks?.undo();
    if (!undone) return false;
    this.edited("undone", undone.mark, undone.boxes);
    this.select(undone.mark.removed ? null : undone.mark);
    return true;
  }

  // A key puts it where the pointer is, else into a free place beside the selected mark.
  private put(isEmpty: boolean): boolean {
    const at = this.pointer ?? this.freePlace();
    if (at) this.addAt(at, isEmpty);
    else this.say("outside");
    return true;
  }

  private addAt([x, y]: Point, isEmpty: boolean): void {
    const [width, height] = this.usualSize();
    const photo = this.marks.outline(this.position)!;
    const left = Math.min(Math.max(0, x - width / 2), photo.width_px - width);
    const top = Math.min(Math.max(0, y - height / 2), photo.height_px - height);
    const mark = this.marks.add(this.position, [left, top, left + width, top + height], isEmpty);
    if (!mark) return this.say("outside");
    this.edited("added", mark, [mark.box]);
    this.select(mark);
  }

  // Rings around the selected mark, or around what is nearest, until nothing is in the way.
  private freePlace(): Point | null {
    const [width, height] = this.usualSize();
    const [cx, cy] = this.startOfSearch();
    for (let ring = 0; ring < 24; ring += 1) {
      const count = Math.max(1, ring * 8);
      for (let step = 0; step < count; step += 1) {
        const turn = (step / count) * Math.PI * 2;
        const x = cx + Math.cos(turn) * ring * width * 0.55;
        const y = cy + Math.sin(turn) * ring * height * 0.55;
        const box: Box = [x - width / 2.4, y - height / 2.4, x + width / 2.4, y + height / 2.4];
        if (!this.within(box) || this.marks.containerAt(this.position, [x, y]) === null) continue;
        if (!this.grid.near(box).some((mark) => overlap(mark.box, box))) return [x, y];
      }
    }
    const inside = this.marks.containerAt(this.position, [cx, cy]) !== null;
    return inside ? [cx, cy] : null;
  }

  private startOfSearch(): Point {
    const mark = this.canvas.selected ?? this.grid.nearest(this.centre());
    if (mark) return middle(mark.box);
    const first = this.marks.outline(this.position)?.containers[0]?.polygon ?? [];
    const sum = first.reduce(([sx, sy], [x, y]) => [sx + x, sy + y] as Point, [0, 0] as Point);
    return first.length ? [sum[0] / first.length, sum[1] / first.length] : this.centre();
  }

  private within([x1, y1, x2, y2]: Box): boolean {
    const photo = this.marks.outline(this.position);
    return !!photo && x1 >= 0 && y1 >= 0 && x2 <= photo.width_px && y2 <= photo.height_px;
  }

  private usualSize(): Point {
    const shown = this.grid.marks.filter((mark) => !mark.removed && !mark.isEmpty);
    if (shown.length === 0) return [PLANT_PX, PLANT_PX];
    const median = (edges: number[]) => edges.sort((a, b) => a - b)[edges.length >> 1]!;
    this.usual ??= [
      median(shown.map(({ box }) => box[2] - box[0])), median(shown.map(({ box }) => box[3] - box[1])),
    ];
    return this.usual;
  }

  private centre(): Point {
    const { clientWidth, clientHeight } = this.viewer.canvas;
    return this.canvas.toPhoto(clientWidth / 2, clientHeight / 2);
  }

  private select(mark: Mark | null): void {
    this.canvas.selected = mark;
    this.canvas.again();
    if (!mark) return;
    const shown = this.grid.marks.filter((one) => !one.removed);
    const n = String(shown.indexOf(mark) + 1);
    this.tell(fill(this.figure.dataset.textMark ?? "", { n, total: plain(shown.length) }));
    this.bringIntoView(mark);
  }

  private bringIntoView(mark: Mark): void {
    const view = this.canvas.view;
    const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
    const [x, y] = middle(mark.box);
    const [px, py] = [x * view.scale + view.x, y * view.scale + view.y];
    if (px > 20 && py > 20 && px < width - 20 && py < height - 20) return;
    const share = this.viewer.world.getItemAt(0).getContentSize().x
      / this.marks.outline(this.position)!.width_px;
    const centre = this.viewer.viewport.getCenter();
    [centre.x, centre.y] = [x * share, y * share];
    this.viewer.viewport.panTo(this.viewer.viewport.imageToViewportCoordinates(centre));
    this.viewer.viewport.applyConstraints();
  }

  private follow(event: PointerEvent, place: HTMLElement): void {
    if (event.pointerType === "touch") return;
    const { left, top } = place.getBoundingClientRect();
    const at = this.canvas.toPhoto(event.clientX - left, event.clientY - top);
    this.pointer = this.marks.containerAt(this.position, at) === null ? null : at;
  }

  private click(at: Point): void {
    if (this.tool !== "select") return this.addAt(at, this.tool === "empty");
    this.select(this.grid.at(at, SLACK_PX / this.canvas.view.scale));
  }

  // A mouse takes hold of a mark without selecting it first.
  private press(position: OpenSeadragon.Point): void {
    if (matchMedia("(pointer: coarse)").matches || this.tool !== "select") return;
    const at = this.canvas.toPhoto(position.x, position.y);
    const mark = this.grid.at(at, 0);
    this.pressed = mark && { mark, before: mark.box, at };
  }

  private dragOnCanvas(event: { position: OpenSeadragon.Point; preventDefaultAction?: boolean }): void {
    if (!this.pressed) return;
    event.preventDefaultAction = true; // the photo stays
    const { mark, before, at } = this.pressed;
    const [x, y] = this.canvas.toPhoto(event.position.x, event.position.y);
    const [dx, dy] = [x - at[0], y - at[1]];
    this.canvas.selected = mark;
    this.drag([before[0] + dx, before[1] + dy, before[2] + dx, before[3] + dy]);
  }

  private release(): void {
    const pressed = this.pressed;
    this.pressed = null;
    if (pressed && pressed.mark.box !== pressed.before) this.drop(pressed.mark.box, pressed.before);
  }

  private drag(box: Box): void {
    const mark = this.canvas.selected;
    if (!mark) return;
    mark.box = box;
    this.canvas.again();
  }

  private drop(box: Box, before: Box): void {
    const mark = this.canvas.selected;
    if (!mark || box.every((edge, at) => Math.abs(edge - before[at]!) < 0.5)) {
      if (mark) mark.box = before;
      return;
    }
    const isDone = this.within(box) && this.marks.move(mark, box, before);
    if (!isDone) mark.box = before;
    this.edited("moved", mark, [before, box]);
    if (!isDone) this.say("outside");
  }

  private placeHandles(): void {
    this.handles?.show(this.canvas.selected?.box ?? null, this.canvas.view);
  }

  // Everything is read and drawn anew: another photo, or other marks.
  private changed(): void {
    const marks = this.marks.at(this.position);
    this.grid = new Grid(marks);
    this.usual = null;
    this.canvas.marks = marks;
    this.canvas.outlines = this.marks.outline(this.position) ?? null;
    this.canvas.renew();
    this.count();
  }

  // One mark changed: only what is around it is drawn anew.
  private edited(what: "added" | "removed" | "moved" | "undone", mark: Mark, boxes: Box[]): void {
    const at = this.grid.marks.indexOf(mark);
    const isThere = this.marks.all.includes(mark);
    if (isThere && at < 0) this.grid.marks.push(mark);
    if (!isThere && at >= 0) this.grid.marks.splice(at, 1);
    this.grid.put(mark);
    for (const box of boxes) this.canvas.touch(box, this.grid.touching(wider(box)));
    this.count();
    this.note(null);
    const words = { added: "textAdded", removed: "textRemoved", moved: "textMoved", undone: "textUndone" };
    this.tell(`${this.figure.dataset[words[what]] ?? ""}: ${plain(this.marks.total)}`);
  }

  private count(): void {
    const edits = this.marks.edits();
    const isChanged = edits.add.length + edits.remove.length + edits.undo.length > 0;
    this.figures.show(this.marks.total, isChanged);
    server.keep(this.session, isChanged ? edits : null);
  }

  async save(accept: boolean, reason: string): Promise<server.Saved | null> {
    if (this.figure.getAttribute("aria-busy") === "true") return null;
    this.figure.setAttribute("aria-busy", "true");
    const { correctionsUrl = "" } = this.figure.dataset;
    const saved = await server.save(correctionsUrl, this.etag, this.marks.edits(), accept, reason);
    this.figure.removeAttribute("aria-busy");
    if (saved.kind === "saved") server.keep(this.session, null);
    else if (saved.kind === "changed") await this.startOver();
    else this.say(saved.kind, true);
    return saved;
  }

  // Somebody was faster: theirs is read, one's own is laid on it again, and it says who it was.
  private async startOver(): Promise<void> {
    const edits = this.marks.edits();
    const who = await fetch(this.figure.dataset.decidedUrl ?? "");
    const words = who.ok ? (await who.text()).trim() : "";
    if (!(await this.read())) return this.say("failed", true);
    this.marks.apply(edits);
    this.canvas.selected = null;
    this.changed();
    const text = new DOMParser().parseFromString(words, "text/html").body.textContent ?? "";
    this.note(`${text.trim()}. ${this.figure.dataset.textKept ?? ""}`);
  }

  private say(key: "outside" | "failed" | "refused" | "offline" | "drawingFailed", stays = false): void {
    const text = this.figure.dataset[`text${key[0]!.toUpperCase()}${key.slice(1)}`] ?? "";
    this.tell(text);
    this.note(text);
    if (!stays) setTimeout(() => this.note(null, text), 4000);
  }

  private tell(text: string): void {
    const place = this.figure.querySelector("[data-says]");
    if (place) place.textContent = text;
  }

  private note(text: string | null, only?: string): void {
    const box = this.figure.querySelector<HTMLElement>("[data-edit-note]");
    const words = box?.querySelector("[data-edit-words]");
    if (!box || !words || (only !== undefined && words.textContent !== only)) return;
    words.textContent = text ?? "";
    box.hidden = text === null;
  }
}

// As far as lines and signs of a neighbour reach into it.
function wider([x1, y1, x2, y2]: Box): Box {
  const edge = Math.max(x2 - x1, y2 - y1, 24);
  return [x1 - edge, y1 - edge, x2 + edge, y2 + edge];
}

function press(within: HTMLElement, which: string, is: (button: HTMLElement) => boolean): void {
  for (const button of within.querySelectorAll<HTMLElement>(which)) {
    button.setAttribute("aria-pressed", String(is(button)));
  }
}
