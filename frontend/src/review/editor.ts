// Editing on the photo: marks and containers, by hand and by keyboard, until they are saved.
import { BinsBeside } from "./bins-beside";
import { ContainerTool } from "./container-tool";
import { Figures } from "./figures";
import { Handles } from "./handles";
import type { Point } from "./marks";
import { MarkTool, type MarkChange } from "./mark-tool";
import { Notes, press } from "./notes";
import { fill, plain } from "./numbers";
import * as server from "./save";
import { Scene } from "./scene";
import { openStage } from "./stage";
import { tilesOf, type PhotoSource, type Tiles } from "../viewer";

type Tool = "select" | "plant" | "empty" | "container";

const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

export class Editor {
  private tool: Tool = "select";
  private counting: ReturnType<typeof setTimeout> | undefined;
  private leavesOut = false; // the person was told that plants stand outside, and saves again
  private steps: ("marks" | "containers")[] = [];
  private readonly views = new Map<number, PhotoSource>();
  private readonly figures = new Figures();
  private readonly notes: Notes;
  private readonly scene: Scene;
  private readonly addresses: server.Addresses;
  private marks!: MarkTool;
  private containers!: ContainerTool;
  private beside!: BinsBeside;
  private handles!: Handles;
  private place!: HTMLElement;

  constructor(
    private readonly figure: HTMLElement,
    private readonly session: string,
  ) {
    const views = (figure.dataset.views ?? "").trim().split(/\s+/);
    for (let at = 0; at + 4 < views.length; at += 5) {
      const [position, width, height] = views.slice(at, at + 3).map(Number);
      this.views.set(position!, { width: width!, height: height!, screen: views[at + 3]!, view: views[at + 4]! });
    }
    this.scene = new Scene([...this.views.keys()][0] ?? 1);
    this.notes = new Notes(figure);
    const { correctionsUrl = "", containersUrl = "", detectionsUrl = "" } = figure.dataset;
    this.addresses = { corrections: correctionsUrl, containers: containersUrl, detections: detectionsUrl };
  }

  async start(): Promise<void> {
    const first = this.scene.position;
    const tilesOfFirst = this.tiles(first);
    const read = await server.read(this.addresses);
    if (!read) return this.notes.say("drawingFailed", true);
    const counted = read.outlines.map((one) => one.position);
    if (!counted.includes(this.scene.position)) this.scene.position = counted[0] ?? this.scene.position;
    this.scene.take(read);
    const tiles = this.scene.position === first ? await tilesOfFirst : await this.tiles(this.scene.position);
    if (!tiles) return this.notes.say("drawingFailed", true);
    this.open(tiles, read.bins);
    const kept = server.kept(this.session);
    if (kept) this.apply(kept);
    this.changed();
  }

  private tiles(position: number): Promise<Tiles | null> {
    return tilesOf(this.views.get(position)!).catch(() => null);
  }

  private open(tiles: Tiles, bins: server.BinRead[]): void {
    const { scene } = this;
    this.figure.querySelector<HTMLElement>("[data-tools]")!.hidden = false; // the stage has its size
    const stage = openStage(this.figure, tiles, {
      press: (at) => this.press(at),
      pull: (at) => this.marks.pull(at),
      release: () => this.marks.release(),
      click: (at) => this.click(at),
      follow: (at) => this.follow(at),
      opened: () => this.changed(),
      drawn: () => this.handles?.show(scene.canvas.selected?.box ?? null, scene.canvas.view),
    });
    [this.place, scene.viewer, scene.canvas] = [stage.place, stage.viewer, stage.canvas];
    this.marks = new MarkTool(scene, this.notes, (what) => this.edited(what));
    this.beside = new BinsBeside(this.figure, bins, () => scene.showWhole());
    this.containers = new ContainerTool(this.figure, scene, this.notes, this.beside, (isUndone) => this.redrawn(isUndone), stage.place);
    scene.canvas.under = (pen, view) => this.containers.drawAll(pen, view);
    scene.canvas.over = (pen, view) => this.containers.draw(pen, view);
    this.handles = new Handles(stage.place, (box) => this.marks.drag(box), (box, before) => this.marks.drop(box, before));
    this.wireTools();
  }

  private wireTools(): void {
    const tools = this.figure.querySelector<HTMLElement>("[data-tools]")!;
    for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-tool]")) {
      button.addEventListener("click", () => {
        const name = button.dataset.tool!;
        if (name === "remove") this.marks.remove();
        else if (name === "undo") this.undo();
        else this.take(name as Tool);
      });
    }
    for (const button of tools.querySelectorAll<HTMLButtonElement>("[data-position]")) {
      button.addEventListener("click", () => this.turnTo(Number(button.dataset.position)));
    }
  }

  private turnTo(position: number): void {
    this.scene.position = position;
    this.containers.choose(null);
    press(this.figure, "[data-position]", (button) => button.dataset.position === String(position));
    void this.tiles(position).then((tiles) => {
      if (position !== this.scene.position) return; // another one was asked for meanwhile
      if (!tiles) return this.notes.say("drawingFailed", true);
      this.scene.viewer.open(tiles as never);
      this.changed();
    });
  }

  private take(tool: Tool): void {
    this.tool = tool;
    press(this.figure, "[data-tool][aria-pressed]", (button) => button.dataset.tool === tool);
    this.figure.dataset.tool = tool;
    if (tool !== "container") this.containers.choose(null);
    else {
      this.marks.select(null);
      this.containers.begin("choose");
      this.place.focus({ preventScroll: true }); // Tab goes on from here
    }
  }

  get isChanged(): boolean {
    return Boolean(this.scene.marks?.isChanged || this.scene.containers.isChanged);
  }

  // Whether the key was this editor's.
  key(event: KeyboardEvent): boolean {
    if (!this.place?.isConnected) return false;
    const arrow = ARROWS[event.key] ?? null;
    const isOnButton = event.target instanceof HTMLElement && event.target.closest("a, button, summary, input") !== null;
    if (event.key === "Enter" && isOnButton) return false;
    if (event.key === "Tab") return this.tab(event);
    if (!(event.altKey && !arrow) && this.containers.key(event, arrow)) {
      if (this.containers.chosen) this.marks.select(null);
      return true;
    }
    if (arrow) return event.altKey ? this.marks.shift(arrow, event.shiftKey) : this.marks.go(arrow);
    switch (event.key.toLowerCase()) {
      case "p": return this.marks.put(false);
      case "o": return this.marks.put(true);
      case "delete": case "backspace": return this.marks.remove();
      case "t": this.take("container"); return true;
      case "z": return this.undo();
      case "enter": return this.let();
      case "escape": this.take("select"); return this.let();
      case "+": return this.zoom(1.5);
      case "-": return this.zoom(1 / 1.5);
      default: return false;
    }
  }

  // Through the containers while the photo has the focus, and on from the last.
  private tab(event: KeyboardEvent): boolean {
    if (!this.place.contains(document.activeElement)) return false;
    if (this.beside.isOpen) return this.containers.key(event, null);
    this.marks.select(null);
    return this.containers.tab(event.shiftKey);
  }

  private zoom(factor: number): boolean {
    this.scene.viewer.viewport.zoomBy(factor);
    this.scene.viewer.viewport.applyConstraints();
    return true;
  }

  private let(): boolean {
    if (!this.marks.selected) return false;
    this.marks.select(null);
    return true;
  }

  private undo(): boolean {
    const last = this.steps.pop();
    return last === "containers" ? this.containers.undo() : last === "marks" && this.marks.undo();
  }

  private press(at: Point): void {
    if (matchMedia("(pointer: coarse)").matches || this.tool !== "select" || this.containers.isBusy) return;
    this.marks.press(at);
  }

  private click(at: Point): void {
    if (this.containers.isBusy || this.tool === "container") {
      this.containers.click(at);
      return;
    }
    if (this.tool !== "select") return this.marks.addAt(at, this.tool === "empty");
    const mark = this.marks.at(at);
    this.marks.select(mark);
    if (mark) this.containers.choose(null);
    else this.containers.click(at);
  }

  private follow(at: Point | null): void {
    const { marks, position } = this.scene;
    this.marks.pointer = at && marks.containerAt(position, at) !== null ? at : null;
    if (at) this.containers.follow(at);
  }

  // Everything is read and drawn anew: another photo, or other marks.
  private changed(): void {
    this.scene.gather();
    this.marks.renew();
    this.scene.canvas.marks = this.scene.grid.marks;
    this.scene.canvas.outlines = this.scene.marks.outline(this.scene.position) ?? null;
    this.containers.renew();
    this.scene.canvas.renew();
    this.count();
  }

  private edited(what: MarkChange): void {
    if (what !== "undone") this.steps.push("marks");
    this.after();
    this.notes.tell(`${this.notes.words(what)}: ${plain(this.scene.total)}`);
  }

  private redrawn(isUndone: boolean): void {
    if (!isUndone) this.steps.push("containers");
    this.after();
  }

  private after(): void {
    this.leavesOut = false;
    this.notes.note(null);
    this.count();
  }

  private get unsaved(): server.Kept {
    const { containers, marks, attempt } = this.scene;
    return containers.isChanged
      ? { marks: marks.edits(), containers: containers.body(), attempt }
      : { marks: marks.edits() };
  }

  private apply(kept: server.Kept): boolean {
    this.scene.marks.apply(kept.marks);
    this.steps = [];
    if (!kept.containers) return true;
    if (kept.attempt === this.scene.attempt) this.scene.containers.apply(kept.containers);
    return kept.attempt === this.scene.attempt;
  }

  // In a turn of its own: what was drawn is seen first.
  private count(): void {
    clearTimeout(this.counting);
    this.counting = setTimeout(() => this.countNow(), 0);
  }

  private countNow(): void {
    this.figures.show(this.scene.total, this.isChanged);
    server.keep(this.session, () => (this.isChanged ? this.unsaved : null));
  }

  async save(accept: boolean, reason: string): Promise<server.Saved | null> {
    if (this.figure.getAttribute("aria-busy") === "true") return null;
    this.figure.setAttribute("aria-busy", "true");
    const decision = { accept, reason, leavesOut: this.leavesOut };
    const saved = await server.save(this.addresses, this.scene.etag, this.unsaved, decision);
    this.figure.removeAttribute("aria-busy");
    if (saved.kind === "saved") server.keepNow(this.session, null);
    else if (saved.kind === "changed") await this.startOver();
    else if (saved.kind === "leaves") this.askToLeave(saved.plants);
    else if (saved.kind === "refused") this.refuse(saved.fault);
    else this.notes.say(saved.kind, true);
    return saved;
  }

  private askToLeave(plants: number): void {
    this.leavesOut = true;
    const text = fill(this.notes.words("leaves"), { n: plain(plants) });
    this.notes.tell(text);
    this.notes.note(text);
  }

  private refuse(fault: string | null): void {
    const words = fault && this.notes.words(`fault-${fault}`.replace(/[-_](.)/g, (_, c: string) => c.toUpperCase()));
    this.notes.note(words || this.notes.words("refused"));
    this.notes.tell(words || this.notes.words("refused"));
  }

  // Somebody was faster: theirs is read, one's own is laid on it again, and it says who it was.
  private async startOver(): Promise<void> {
    const kept = this.unsaved;
    const who = await fetch(this.figure.dataset.decidedUrl ?? "");
    const words = who.ok ? (await who.text()).trim() : "";
    const read = await server.read(this.addresses);
    if (!read) return this.notes.say("failed", true);
    this.containers.choose(null);
    this.scene.take(read);
    this.beside.renew(read.bins);
    const isWhole = this.apply(kept);
    this.changed();
    const text = new DOMParser().parseFromString(words, "text/html").body.textContent ?? "";
    this.notes.note(`${text.trim()}. ${this.notes.words(isWhole ? "kept" : "containersLost")}`);
  }
}
