// The page's figures, which follow the marks: 18 + 3 = 21, the interval, the effect on stock.
import { fill, plain, signed } from "./numbers";

export class Figures {
  private readonly sum = document.querySelector<HTMLElement>("[data-sum]");
  private readonly interval = document.querySelector<HTMLElement>("[data-interval]");
  private readonly machine: number;
  private readonly before: number; // by the server, when the page was made
  private readonly bounds: number[];
  private readonly words = new Map<HTMLElement, string>();

  constructor() {
    this.machine = Number(this.sum?.dataset.machine ?? 0);
    this.before = this.machine + Number(this.sum?.dataset.person ?? 0);
    this.bounds = (this.interval?.textContent ?? "").match(/[\d.,]+/g)?.map((text) =>
      Number(text.replace(/[.,]/g, ""))) ?? [];
    for (const one of document.querySelectorAll<HTMLElement>("[data-correct], [data-total]")) {
      this.words.set(one, one.textContent ?? "");
    }
  }

  show(total: number, isChanged: boolean): void {
    const change = total - this.before;
    if (this.sum) this.sum.textContent = sumOf(this.machine, total);
    if (this.interval && this.bounds.length === 2) {
      const [low, high] = this.bounds.map((bound) => plain(Math.max(0, bound + change)));
      this.interval.textContent = fill(this.interval.dataset.text ?? "", { low: low!, high: high! });
    }
    const effect = document.querySelector<HTMLElement>("[data-effect]");
    if (effect) effect.textContent = signed(Number(effect.dataset.effect) + change) || "0";
    for (const [one, text] of this.words) {
      if (one.dataset.save === undefined) one.textContent = isChanged ? plain(total) : text;
      else one.textContent = isChanged ? fill(one.dataset.save, { n: plain(total) }) : text;
    }
    for (const label of document.querySelectorAll<HTMLElement>("[data-label]")) {
      label.textContent = fill(label.dataset.label ?? "", { n: plain(total) });
    }
  }
}

export function sumOf(machine: number, total: number): string {
  const own = total - machine;
  if (own === 0) return plain(total);
  return `${plain(machine)} ${own > 0 ? "+" : "−"} ${plain(own)} = ${plain(total)}`;
}
