// Counting at a desk: many photos of several beds, each with how its bed was found, and a row that
// is off by one bed moved together.
import { after, byLabel, type Bed } from "./beds";
import { detector, type BedSheet } from "./bedsheet";
import { knownAmong, shotOf, type Shot } from "./shots";
import type { Waiting } from "./waiting";
import { button, chip, make, type Words } from "./words";

export interface Row {
  shot: Shot;
  bed?: Bed;
  how: string;
  isLabel: boolean; // a label shot alone: it names the photos after it, and is not sent
  isTicked: boolean;
}

// Rows from label to label: what follows a label shot alone is of its bed; what follows without
// one is as the row before.
export function inherit(rows: Row[], words: Words): void {
  let label: Row | undefined;
  for (const row of rows) {
    if (row.isLabel) label = row;
    else if (!row.bed && label?.bed) {
      row.bed = label.bed;
      row.how = words.say("by_label_of", { name: label.shot.name });
    }
  }
}

// Where ticked rows would go, by so many beds in walking order; nothing where there is none.
export function shifted(rows: Row[], beds: Bed[], by: number): Map<Row, Bed> | undefined {
  const moves = new Map<Row, Bed>();
  for (const row of rows.filter((each) => each.isTicked)) {
    const at = beds.findIndex((bed) => bed.code === row.bed?.code);
    const bed = at < 0 ? undefined : beds[at + by];
    if (!bed) return undefined;
    moves.set(row, bed);
  }
  return moves;
}

export class Desk {
  private rows: Row[] = [];
  private shift = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly words: Words,
    private readonly waiting: Waiting,
    private readonly sheet: BedSheet,
    private readonly beds: Bed[],
  ) {
    const drop = this.part("drop");
    const files = this.part<HTMLInputElement>("desk-files");
    files.addEventListener("change", () => {
      void this.add([...(files.files ?? [])]);
      files.value = "";
    });
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.add([...(event.dataTransfer?.files ?? [])]);
    });
    drop.addEventListener("dragenter", () => drop.classList.add("is-over"));
    drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
    for (const each of root.querySelectorAll<HTMLElement>("[data-shift]")) {
      each.addEventListener("click", () => {
        this.shift = Number(each.dataset.shift);
        this.draw();
      });
    }
    this.part("move").addEventListener("click", () => this.move());
    this.part("leave").addEventListener("click", () => this.leave());
    this.part("desk-send").addEventListener("click", () => void this.send());
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.root.querySelector<T>(`[data-${name}]`)!;
  }

  private async add(files: File[]): Promise<void> {
    const most = Number(this.root.dataset.maxPhotos ?? 100);
    const eye = detector();
    for (const file of files.slice(0, Math.max(0, most - this.rows.length))) {
      const shot = await shotOf(file, file.name, false);
      const seen = eye ? await labelIn(eye, file) : undefined;
      const bed = seen && byLabel(this.beds, seen.text);
      const how = this.words.say(bed ? "by_label" : "by_nothing");
      this.rows.push({ shot, bed, how, isLabel: Boolean(bed && seen?.isAlone), isTicked: false });
    }
    inherit(this.rows, this.words);
    const known = await knownAmong(this.rows.map((row) => row.shot.sha256));
    for (const row of this.rows) row.shot.known = known.get(row.shot.sha256);
    this.draw();
  }

  private get ready(): Row[] {
    return this.rows.filter((row) => row.bed && !row.isLabel && !row.shot.known);
  }

  private draw(): void {
    const { words, rows } = this;
    const ticked = rows.filter((row) => row.isTicked);
    const moves = this.shift ? shifted(rows, this.beds, this.shift) : undefined;
    this.part("desk").hidden = rows.length === 0;
    this.part("desk-title").textContent = rows.length === 1 ? words.say("desk_one") : words.say("desk_many", { n: rows.length });
    const bedless = rows.filter((row) => !row.bed && !row.shot.known).length;
    const repeated = rows.filter((row) => row.shot.known).length;
    this.part("desk-summary").textContent = [
      words.many("ready", this.ready.length),
      bedless ? words.many("bedless", bedless) : "",
      repeated ? words.many("repeated", repeated) : "",
    ].filter(Boolean).join(" · ");
    this.part("desk-rows").replaceChildren(...rows.map((row) => this.row(row, moves?.get(row))));
    this.drawMover(ticked, moves);
    this.drawSender(ticked.length > 0, bedless);
  }

  private drawMover(ticked: Row[], moves: Map<Row, Bed> | undefined): void {
    const { words } = this;
    this.part("mover").hidden = ticked.length === 0;
    this.part("mover-title").textContent = ticked.length === 1 ? words.say("move_one") : words.say("move_many", { n: ticked.length });
    for (const each of this.root.querySelectorAll<HTMLElement>("[data-shift]")) {
      each.setAttribute("aria-pressed", String(Number(each.dataset.shift) === this.shift));
    }
    const move = this.part<HTMLButtonElement>("move");
    const to = [...(moves?.values() ?? [])].map((bed) => bed.name);
    move.disabled = !moves;
    move.classList.toggle("primary", Boolean(moves));
    const range = to.length > 1 ? words.say("beds_range", { first: to[0]!, last: to.at(-1)! }) : (to[0] ?? "");
    move.textContent = moves ? words.say("move_to", { beds: range }) : words.say("move_none");
  }

  private drawSender(isMoving: boolean, bedless: number): void {
    const { words } = this;
    const n = this.ready.length;
    const send = this.part<HTMLButtonElement>("desk-send");
    send.disabled = isMoving || n === 0;
    send.classList.toggle("primary", !send.disabled);
    send.textContent = n === 1 ? words.say("send_n_one") : words.say("send_n", { n });
    const reasons = [isMoving ? words.say("sender_move_first") : "", bedless ? words.say("sender_bedless") : ""];
    this.part("sender-text").textContent = reasons.filter(Boolean).join(" ") || words.say("sender_ready");
  }

  private row(row: Row, to: Bed | undefined): HTMLElement {
    const { words } = this;
    const { shot } = row;
    const canMove = Boolean(row.bed && !row.isLabel && !shot.known);
    const tick = make("input", "");
    tick.type = "checkbox";
    tick.checked = row.isTicked;
    tick.disabled = !canMove;
    tick.setAttribute("aria-label", words.say("tick", { name: shot.name }));
    tick.addEventListener("change", () => {
      row.isTicked = tick.checked;
      if (!this.rows.some((each) => each.isTicked)) this.shift = 0;
      this.draw();
    });
    const picture = make("img", "thumb wide-thumb");
    picture.src = shot.url;
    picture.alt = "";
    const time = new Date((shot.blob as File).lastModified ?? shot.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    const made = make(
      "tr",
      row.isTicked ? "is-on" : "",
      make("td", "", tick),
      make("td", "", picture),
      make("th", "lead", shot.name, make("span", "sub", time)),
      make("td", "main-n", this.bedCell(row, to)),
      make("td", "rest", to ? words.say("by_order") : shot.known ? words.say("by_same") : row.how),
      make("td", "rest", this.state(row)),
    );
    return made;
  }

  private bedCell(row: Row, to: Bed | undefined): HTMLElement {
    if (row.shot.known) return make("span", "", this.beds.find((bed) => bed.code === row.shot.known?.location_code)?.name ?? "—");
    if (!row.bed) return button("btn", [this.words.say("choose_bed")], () => void this.choose(row));
    if (to) return make("span", "", make("s", "soft", row.bed.name), " → ", make("b", "", to.name));
    return button("btn quiet", [row.bed.name], () => void this.choose(row));
  }

  private state(row: Row): HTMLElement {
    const { words } = this;
    if (row.shot.known) {
      const link = make("a", "", chip("discarded", "minus", words.say("state_known")));
      link.href = row.shot.known.page_url;
      return link;
    }
    if (row.isLabel) return chip("discarded", "minus", words.say("state_label"));
    if (!row.bed) return chip("needs_location", "hand", words.say("state_bedless"));
    return row.shot.fault ? chip("needs_review", "triangle-alert", words.say(row.shot.fault)) : chip("sky", "smartphone", words.say("state_ready"));
  }

  private async choose(row: Row): Promise<void> {
    const bed = await this.sheet.ask(this.beds, row.bed?.code);
    if (!bed) return;
    row.bed = bed;
    row.how = this.words.say("by_choice");
    // Who walks along the beds takes one photo after the other: the next is offered for the rest.
    this.offerFollowing(row);
    this.draw();
  }

  private offerFollowing(row: Row): void {
    let bed: Bed | undefined = row.bed;
    for (const next of this.rows.slice(this.rows.indexOf(row) + 1)) {
      if (next.bed || next.shot.known || next.isLabel) break;
      bed = bed && after(this.beds, bed.code);
      if (!bed) break;
      next.bed = bed;
      next.how = this.words.say("by_order");
    }
  }

  private move(): void {
    const moves = shifted(this.rows, this.beds, this.shift);
    for (const [row, bed] of moves ?? []) {
      row.bed = bed;
      row.how = this.words.say("by_order");
    }
    this.leave();
  }

  private leave(): void {
    for (const row of this.rows) row.isTicked = false;
    this.shift = 0;
    this.draw();
  }

  // Photos of one bed go together: the bed is counted once.
  private async send(): Promise<void> {
    const ready = this.ready;
    const byBed = new Map<string, Row[]>();
    for (const row of ready) byBed.set(row.bed!.code, [...(byBed.get(row.bed!.code) ?? []), row]);
    for (const rows of byBed.values()) {
      const { code, name, place } = rows[0]!.bed!;
      await this.waiting.queue.add(this.waiting.person, rows.map((row) => row.shot), {
        bed: { code, name, place }, takenHere: false, source: "web",
      });
    }
    this.rows = this.rows.filter((row) => !ready.includes(row) && !row.isLabel && !row.shot.known);
    ready.forEach((row) => URL.revokeObjectURL(row.shot.url));
    this.draw();
    void this.waiting.send();
  }
}

async function labelIn(eye: { detect(source: CanvasImageSource): Promise<{ rawValue: string; boundingBox?: DOMRectReadOnly }[]> }, file: File): Promise<{ text: string; isAlone: boolean } | undefined> {
  try {
    const picture = await createImageBitmap(file);
    const codes = await eye.detect(picture);
    const [code] = codes;
    const share = code?.boundingBox ? (code.boundingBox.width * code.boundingBox.height) / (picture.width * picture.height) : 0;
    picture.close();
    return codes.length === 1 && code ? { text: code.rawValue, isAlone: share >= 0.04 } : undefined;
  } catch {
    return undefined;
  }
}
