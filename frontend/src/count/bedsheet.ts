// Which bed: by name or number, where one stands, or its label seen by the camera.
import { byLabel, nearest, search, type Bed } from "./beds";
import { button, make, type Words } from "./words";

interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: (new (options: { formats: string[] }) => Detector) | undefined;

export const detector = (): Detector | undefined =>
  typeof BarcodeDetector === "function" ? new BarcodeDetector({ formats: ["qr_code"] }) : undefined;

export interface Place {
  longitude: number;
  latitude: number;
}

export class BedSheet {
  private readonly dialog: HTMLDialogElement;
  private readonly entry: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly video: HTMLVideoElement;
  private chosen?: (bed: Bed | undefined) => void;
  private beds: Bed[] = [];
  private place?: Place;
  private stream?: MediaStream;
  private from?: string;

  constructor(root: HTMLElement, private readonly words: Words) {
    this.dialog = root.querySelector("[data-beds]")!;
    this.entry = root.querySelector("[data-bed-words]")!;
    this.list = root.querySelector("[data-bed-list]")!;
    this.video = root.querySelector("[data-scan-video]")!;
    const scan = root.querySelector<HTMLButtonElement>("[data-scan]")!;
    scan.hidden = !detector() || !navigator.mediaDevices;
    scan.addEventListener("click", () => void this.scan());
    this.entry.addEventListener("input", () => this.draw());
    this.entry.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.list.querySelector("button")?.click();
    });
    this.dialog.addEventListener("close", () => this.answer(undefined));
  }

  // The bed that a person chooses; nothing where they close it.
  ask(beds: Bed[], from: string | undefined, place?: Place): Promise<Bed | undefined> {
    this.beds = beds;
    this.place = place;
    this.from = from;
    this.entry.value = "";
    this.draw();
    this.dialog.showModal();
    this.entry.focus();
    return new Promise((resolve) => (this.chosen = resolve));
  }

  // Beds that came from the server after a person had opened it.
  arrive(beds: Bed[]): void {
    this.beds = beds;
    if (this.dialog.open) this.draw();
  }

  private draw(): void {
    const typed = this.entry.value.trim();
    const near = this.place && !typed ? nearest(this.beds, this.place.longitude, this.place.latitude) : [];
    const at = Math.max(0, this.beds.findIndex((bed) => bed.code === this.from));
    const rows = typed ? search(this.beds, typed) : this.beds.slice(at, at + 30);
    this.list.replaceChildren(
      ...(near.length ? [this.heading("near")] : []),
      ...near.map(({ bed, metres }) => this.row(bed, this.words.say("metres", { n: Math.round(metres) }))),
      ...(near.length ? [this.heading("next_ones")] : []),
      ...rows.map((bed) => this.row(bed)),
      ...(rows.length ? [] : [make("li", "soft", this.words.say("no_beds"))]),
    );
  }

  private heading(key: string): HTMLElement {
    return make("li", "group soft small", this.words.say(key));
  }

  private row(bed: Bed, distance = ""): HTMLElement {
    const text = [bed.place, bed.product, distance].filter(Boolean).join(" · ");
    const parts = make("span", "grow", make("b", "", bed.name), make("span", "soft small", text));
    return make("li", "", button("bed-row", [parts], () => this.answer(bed)));
  }

  private answer(bed: Bed | undefined): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = undefined;
    this.video.hidden = true;
    const chosen = this.chosen;
    this.chosen = undefined;
    if (this.dialog.open) this.dialog.close();
    chosen?.(bed);
  }

  private async scan(): Promise<void> {
    const eye = detector();
    if (!eye) return;
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).catch(() => undefined);
    if (!this.stream) return;
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    await this.video.play();
    while (this.stream) {
      const [code] = await eye.detect(this.video).catch(() => []);
      const bed = code && byLabel(this.beds, code.rawValue);
      if (bed) return this.answer(bed);
      if (code) this.list.replaceChildren(make("li", "soft", this.words.say("scan_unknown", { text: code.rawValue })));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
