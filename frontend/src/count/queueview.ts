// What is still on the phone, and what the server would not take: with a way out of each.
import type { Queue } from "./queue";
import { photosIn } from "./queue";
import type { Delivery, Store } from "./store";
import type { Waiting } from "./waiting";
import { button, chip, icon, make, type Words } from "./words";

export class QueueView {
  private urls: string[] = [];
  private drawing = Promise.resolve();

  constructor(
    private readonly box: HTMLElement,
    private readonly words: Words,
    private readonly waiting: Waiting,
    private readonly otherBed: (delivery: Delivery) => Promise<void>,
  ) {}

  private get queue(): Queue {
    return this.waiting.queue;
  }

  private get store(): Store {
    return this.waiting.store;
  }

  // One after the other: what is drawn last is what is so.
  draw(): Promise<void> {
    this.drawing = this.drawing.then(() => this.drawNow());
    return this.drawing;
  }

  private async drawNow(): Promise<void> {
    const all = await this.store.all(this.waiting.person);
    const old = this.urls;
    this.urls = [];
    const parts: HTMLElement[] = [];
    if (all.length === 0) parts.push(this.nothing());
    else parts.push(this.headline(photosIn(all)));
    if (all.length && navigator.storage?.persisted && !(await navigator.storage.persisted())) {
      parts.push(make("p", "note sun", icon("circle-alert"), make("span", "", this.words.say("not_persistent"))));
    }
    const waits = all.filter((delivery) => delivery.state === "waiting");
    if (waits.length) parts.push(await this.waits(waits));
    for (const delivery of all.filter((each) => each.state === "refused")) parts.push(await this.refused(delivery));
    this.box.replaceChildren(...parts);
    old.forEach((url) => URL.revokeObjectURL(url));
  }

  private nothing(): HTMLElement {
    const { words } = this;
    return make("div", "empty", icon("check"), make("b", "", words.say("nothing")), make("span", "", words.say("nothing_text")));
  }

  private headline(n: number): HTMLElement {
    const { words } = this;
    if (this.waiting.outcome === "sign_in") {
      const link = make("a", "btn", words.say("sign_in_go"));
      link.href = "/login?back=/count";
      const text = make("div", "", make("b", "", words.many("sign_in", n)), make("p", "", words.say("sign_in_text")), link);
      return make("div", "note clay", icon("circle-alert"), text);
    }
    const text = make("div", "", make("b", "", words.many("on_phone", n)), make("p", "", words.say("on_phone_text")));
    return make("div", "note sky", icon("cloud-off"), text);
  }

  private async waits(deliveries: Delivery[]): Promise<HTMLElement> {
    const bytes = deliveries.flatMap((d) => d.pictures).reduce((sum, p) => sum + p.size, 0);
    const megabytes = (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    const head = make("div", "head", make("h3", "", this.words.say("waiting")), make("span", "soft small", `${megabytes} MB`));
    const rows = await Promise.all(deliveries.map((delivery) => this.row(delivery)));
    return make("section", "card flush", head, make("ul", "rows", ...rows));
  }

  private async row(delivery: Delivery): Promise<HTMLElement> {
    const size = delivery.pictures.reduce((sum, picture) => sum + picture.size, 0);
    const share = Math.floor((100 * delivery.sentBytes) / size);
    const bar = make("progress", "");
    bar.max = 100;
    bar.value = share;
    bar.setAttribute("aria-label", this.words.say("sending"));
    const isSending = share > 0;
    const text = make("span", "grow", make("b", "", this.bedOf(delivery)), make("span", "soft small", this.about(delivery)), isSending && bar);
    const state = isSending
      ? make("span", "soft small", this.words.say("percent", { n: share }))
      : chip("sky", "smartphone", this.words.say("in_phone"));
    return make("li", "", await this.thumb(delivery), text, state);
  }

  private async refused(delivery: Delivery): Promise<HTMLElement> {
    const { words } = this;
    const reason = `${delivery.refusal?.title ?? ""}. ${words.say("stays")}`;
    const text = make("div", "grow", make("h3", "", words.say("not_accepted", { bed: this.bedOf(delivery) })), make("p", "soft", reason));
    const other = button("btn", [words.say("other_bed")], () => void this.otherBed(delivery));
    // The bytes are nowhere else: twice the same button, and its words change between.
    const remove = button("btn danger", [icon("trash-2"), words.say("delete")], () => {
      if (remove.dataset.sure) void this.queue.drop(delivery);
      remove.dataset.sure = "yes";
      remove.replaceChildren(icon("trash-2"), words.say("delete_sure"));
    });
    const top = make("div", "refused-top", await this.thumb(delivery), text);
    const card = make("section", "card need alarm stack", top, make("div", "refused-ways", other, remove));
    card.dataset.refused = delivery.id;
    return card;
  }

  private bedOf(delivery: Delivery): string {
    return delivery.bed?.name ?? this.words.say("no_bed");
  }

  private about(delivery: Delivery): string {
    const time = new Date(delivery.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    const n = delivery.pictures.length;
    return `${time} · ${n === 1 ? this.words.say("photo_one") : this.words.say("photo_many", { n })}`;
  }

  private async thumb(delivery: Delivery): Promise<HTMLElement> {
    const picture = make("img", "thumb");
    picture.alt = "";
    const blob = await this.store.photo(delivery.id, 0);
    if (blob) {
      picture.src = URL.createObjectURL(blob);
      this.urls.push(picture.src);
    }
    return picture;
  }
}
