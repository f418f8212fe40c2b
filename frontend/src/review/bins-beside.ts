// The last photo of the bed beside this one, with the containers that it showed: one of them is
// chosen as the same.
import type { BinRead } from "./save";

const SVG = "http://www.w3.org/2000/svg";

export class BinsBeside {
  private readonly place: HTMLElement | null;
  private readonly stage: HTMLElement | null;
  private at = 0;
  private chosen: ((bin: number | null) => void) | null = null;

  constructor(figure: HTMLElement, private bins: BinRead[], private readonly closed: () => void) {
    this.place = figure.parentElement?.querySelector<HTMLElement>("[data-bins]") ?? null;
    this.stage = this.place?.querySelector<HTMLElement>("[data-bins-stage]") ?? null;
    for (const button of this.place?.querySelectorAll<HTMLElement>("[data-bin-act]") ?? []) {
      button.addEventListener("click", () => this.act(button.dataset.binAct!));
    }
  }

  renew(bins: BinRead[]): void {
    this.bins = bins;
    this.close();
  }

  get isOpen(): boolean {
    return this.chosen !== null;
  }

  get current(): BinRead | undefined {
    return this.bins[this.at];
  }

  // False where no photo of before shows a container.
  open(bin: number | null, chosen: (bin: number | null) => void): boolean {
    if (!this.place || this.bins.length === 0) return false;
    this.at = Math.max(0, this.bins.findIndex((one) => one.bin_id === bin));
    this.chosen = chosen;
    this.place.hidden = false;
    this.draw();
    return true;
  }

  close(): void {
    if (this.chosen) this.closed();
    this.chosen = null;
    if (this.place) this.place.hidden = true;
  }

  // Arrows go to the next one in their direction, or through all.
  key(event: KeyboardEvent): boolean {
    const back = event.key === "ArrowLeft" || event.key === "ArrowUp" || (event.key === "Tab" && event.shiftKey);
    const on = event.key === "ArrowRight" || event.key === "ArrowDown" || event.key === "Tab";
    if (back || on) this.at = (this.at + (back ? -1 : 1) + this.bins.length) % this.bins.length;
    else if (event.key === "Enter" || event.key.toLowerCase() === "b") return this.act("same");
    else if (event.key === "Delete" || event.key === "Backspace") return this.act("none");
    else if (event.key === "Escape") return this.act("leave");
    else return false;
    this.draw();
    return true;
  }

  private act(what: string): boolean {
    const chosen = this.chosen;
    const bin = what === "same" ? this.current?.bin_id ?? null : null;
    this.close();
    if (what !== "leave") chosen?.(bin);
    return true;
  }

  private draw(): void {
    const now = this.current;
    if (!this.stage || !now) return;
    const image = this.stage.querySelector("img")!;
    if (image.getAttribute("src") !== now.view_url) image.src = now.view_url;
    this.stage.querySelector("svg")?.remove();
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${now.width_px} ${now.height_px}`);
    this.bins.forEach((one, at) => {
      if (one.image_id !== now.image_id) return;
      svg.append(this.shape(one, at));
    });
    this.stage.append(svg);
    const caption = this.place!.querySelector<HTMLElement>("[data-bins-which]")!;
    caption.textContent = (caption.dataset.text ?? "")
      .replace("{n}", String(now.index))
      .replace("{day}", new Date(now.captured_at).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long" }));
  }

  private shape(one: BinRead, at: number): SVGElement {
    const group = document.createElementNS(SVG, "g");
    const outline = document.createElementNS(SVG, "polygon");
    outline.setAttribute("points", one.outline.map((point) => point.join(",")).join(" "));
    const number = document.createElementNS(SVG, "text");
    const [xs, ys] = [one.outline.map(([x]) => x), one.outline.map(([, y]) => y)];
    number.setAttribute("x", String((Math.min(...xs) + Math.max(...xs)) / 2));
    number.setAttribute("y", String((Math.min(...ys) + Math.max(...ys)) / 2));
    number.setAttribute("font-size", String(Math.max(one.width_px, one.height_px) / 28));
    number.textContent = String(one.index);
    group.setAttribute("class", at === this.at ? "bin chosen" : "bin");
    group.append(outline, number);
    group.addEventListener("click", () => {
      this.at = at;
      this.act("same");
    });
    return group;
  }
}
