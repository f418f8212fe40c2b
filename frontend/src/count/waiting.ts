// On every page: how many photos are still on this phone, and sending them when it can.
import { BrowserStore } from "./idb";
import { photosIn, Queue, type Outcome } from "./queue";
import { Server, type Problem } from "./remote";
import type { Refusal, Store } from "./store";

const AGAIN_MS = 15_000;

export const CHANGED = "demeter-queue-changed";
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("demeter-queue") : undefined;

function tell(): void {
  channel?.postMessage("");
  document.dispatchEvent(new Event(CHANGED));
}

export function ownPerson(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="person"]')?.content ?? "";
}

// What a refusal is called is known to the page; where it does not, the server's own words stand.
export function inWords(problem: Problem): Refusal {
  const all = document.querySelector<HTMLElement>("[data-problems]")?.dataset.problems ?? "{}";
  const said = (JSON.parse(all) as Record<string, { title: string; action: string }>)[problem.code];
  return {
    code: problem.code,
    title: said?.title ?? problem.title,
    action: said?.action ?? problem.next_action ?? "",
  };
}

export class Waiting {
  readonly store: Store = new BrowserStore();
  readonly queue = new Queue(this.store, new Server(), inWords, tell);
  person = ownPerson();
  outcome: Outcome = "empty";
  private timer?: ReturnType<typeof setTimeout>;

  async start(): Promise<void> {
    if (this.person) await this.store.keep("person", this.person);
    channel?.addEventListener("message", () => document.dispatchEvent(new Event(CHANGED)));
    document.addEventListener(CHANGED, () => void this.show());
    addEventListener("online", () => void this.send());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.send();
    });
    // Who leaves takes nobody's queue along: it stays, and nobody else sees it.
    document.addEventListener("submit", (event) => {
      if ((event.target as HTMLFormElement).action?.endsWith("/logout")) void this.store.keep("person", "");
    });
    await this.show();
    await this.send();
  }

  async send(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.person) return;
    const waits = (await this.store.all(this.person)).some((delivery) => delivery.state === "waiting");
    if (!waits) this.outcome = "empty";
    else this.outcome = await this.queue.sendAll().catch(() => "later" as const);
    if (this.outcome !== "empty") this.timer = setTimeout(() => void this.send(), AGAIN_MS);
    document.dispatchEvent(new Event(CHANGED));
  }

  private async show(): Promise<void> {
    const deliveries = this.person ? await this.store.all(this.person) : [];
    const n = photosIn(deliveries);
    for (const dot of document.querySelectorAll<HTMLElement>("[data-waiting]")) {
      dot.hidden = n === 0;
      dot.textContent = String(n);
    }
  }
}

// One a page, whichever script asks for it first.
const page = globalThis as { demeterWaiting?: Waiting };
export const waiting = "indexedDB" in globalThis ? (page.demeterWaiting ??= new Waiting()) : undefined;
