// Counting with a phone: a picture, a look at it, and on to the next bed. Two taps a bed.
import { after, nearest, type Bed } from "./beds";
import type { BedSheet, Place } from "./bedsheet";
import { Camera } from "./camera";
import { knownAmong, shotOf, type Shot } from "./shots";
import type { Waiting } from "./waiting";
import { icon, make, type Words } from "./words";

const LIVE_MS = 700;
const SOON_MS = 30_000; // a place that is older is asked for anew

export class Phone {
  beds: Bed[] = [];
  private bed?: Bed;
  private shots: Shot[] = [];
  private accepted = new Set<Shot>(); // good enough, a person said
  private place?: Place;
  private placeAt = 0;
  private readonly camera: Camera;

  constructor(
    private readonly root: HTMLElement,
    private readonly words: Words,
    private readonly waiting: Waiting,
    private readonly sheet: BedSheet,
    private readonly show: (view: "camera" | "review" | "queue") => void,
  ) {
    this.camera = new Camera(this.part<HTMLVideoElement>("video"));
    for (const change of root.querySelectorAll<HTMLElement>("[data-change]")) {
      change.addEventListener("click", () => void this.changeBed());
    }
    for (const gallery of root.querySelectorAll<HTMLInputElement>("[data-gallery]")) {
      gallery.addEventListener("change", () => void this.fromGallery(gallery));
    }
    this.on("shutter", () => void this.shoot());
    this.on("repeat", () => this.repeat());
    this.on("good-enough", () => this.goodEnough());
    this.on("another", () => this.toCamera());
    this.on("send", () => void this.send());
    setInterval(() => this.sayLive(), LIVE_MS);
  }

  async start(beds: Bed[]): Promise<void> {
    this.beds = beds;
    const asked = new URLSearchParams(location.search).get("bed");
    const last = await this.waiting.store.read<string>(`last/${this.waiting.person}`);
    this.bed = beds.find((bed) => bed.code === asked) ?? (last ? after(beds, last) : beds[0]);
    this.sayBed();
  }

  async openCamera(): Promise<void> {
    const denial = await this.camera.open();
    this.part("denied").hidden = !denial;
    this.part<HTMLButtonElement>("shutter").disabled = Boolean(denial);
    if (denial) this.part("denied-how").textContent = this.words.say(`denied_${denial}`);
  }

  closeCamera(): void {
    this.camera.close();
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.root.querySelector<T>(`[data-${name}]`)!;
  }

  private on(name: string, act: () => void): void {
    this.part(name).addEventListener("click", act);
  }

  private sayBed(): void {
    const { bed, words } = this;
    const place = bed ? [bed.place, bed.product].filter(Boolean).join(" · ") : words.say("no_bed_place");
    for (const name of this.root.querySelectorAll("[data-bed-name]")) name.textContent = bed?.name ?? words.say("no_bed");
    for (const line of this.root.querySelectorAll("[data-bed-place]")) line.textContent = place;
    this.part<HTMLAnchorElement>("hand").href = bed ? `/count/hand?bed=${encodeURIComponent(bed.code)}` : "/count/hand";
  }

  private async changeBed(): Promise<void> {
    const bed = await this.sheet.ask(this.beds, this.bed?.code, this.place);
    if (!bed) return;
    this.bed = bed;
    this.sayBed();
    if (this.shots.length) this.drawReview();
  }

  private async shoot(): Promise<void> {
    const shutter = this.part<HTMLButtonElement>("shutter");
    shutter.disabled = true;
    try {
      await this.add([{ blob: await this.camera.take(), name: `${Date.now()}.jpg`, takenHere: true }]);
    } finally {
      shutter.disabled = false;
    }
  }

  private async fromGallery(input: HTMLInputElement): Promise<void> {
    const files = [...(input.files ?? [])];
    input.value = "";
    const isCamera = input.hasAttribute("capture");
    await this.add(files.map((file) => ({ blob: file, name: file.name, takenHere: isCamera })));
  }

  private async add(photos: { blob: Blob; name: string; takenHere: boolean }[]): Promise<void> {
    if (!photos.length) return;
    for (const { blob, name, takenHere } of photos) this.shots.push(await shotOf(blob, name, takenHere));
    this.drawReview();
    this.show("review");
    this.findPlace();
    await this.findKnown();
  }

  private toCamera(): void {
    this.show("camera");
    void this.openCamera();
  }

  private remove(shot: Shot): void {
    URL.revokeObjectURL(shot.url);
    this.shots = this.shots.filter((each) => each !== shot);
    if (this.shots.length) this.drawReview();
    else this.toCamera();
  }

  private get faulty(): Shot | undefined {
    return this.shots.find((shot) => shot.fault && !this.accepted.has(shot));
  }

  private repeat(): void {
    const shot = this.faulty;
    if (!shot) return;
    URL.revokeObjectURL(shot.url);
    this.shots = this.shots.filter((each) => each !== shot);
    this.toCamera();
  }

  private goodEnough(): void {
    if (this.faulty) this.accepted.add(this.faulty);
    this.drawReview();
  }

  private drawReview(): void {
    const { words, bed } = this;
    this.part("shots").replaceChildren(...this.shots.map((shot, index) => this.item(shot, index + 1)));
    const shot = this.faulty;
    this.part("fault").hidden = !shot;
    if (shot) {
      this.part("fault-text").textContent = words.say(`${shot.fault}_text`, { n: this.shots.indexOf(shot) + 1 });
    }
    const next = bed && after(this.beds, bed.code);
    this.part("another-text").textContent = words.say("another", { bed: (bed?.name ?? words.say("no_bed")).toLowerCase() });
    this.part("send-text").textContent = next ? words.say("send_next", { bed: next.name.toLowerCase() }) : words.say("send_last");
    this.drawFacts();
    this.drawKnown();
  }

  private item(shot: Shot, n: number): HTMLElement {
    const picture = make("img", "");
    picture.src = shot.url;
    picture.alt = this.words.say("photo_n", { n });
    picture.addEventListener("error", () => picture.replaceWith(make("span", "unseen", shot.name)));
    const remove = make("button", "btn square", icon("x"));
    remove.type = "button";
    remove.setAttribute("aria-label", this.words.say("remove", { n }));
    remove.addEventListener("click", () => this.remove(shot));
    const said = shot.fault
      ? make("span", "shot-said clay", icon("triangle-alert"), this.words.say(shot.fault))
      : make("span", "shot-said", icon("check"), this.words.say("sharp"));
    return make("li", "", make("div", "pic", picture, remove), said);
  }

  private drawFacts(): void {
    const { bed, words } = this;
    const day = bed?.lastAt && new Date(bed.lastAt).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short" });
    const last = bed?.last === null || bed?.last === undefined ? words.say("never") : `${bed.last.toLocaleString(document.documentElement.lang)} · ${day}`;
    const near = this.place && nearest(this.beds, this.place.longitude, this.place.latitude, 1)[0];
    const gps = near ? words.say("gps_at", { bed: near.bed.name.toLowerCase(), n: Math.round(near.metres) }) : words.say("gps_none");
    const facts: [string, string][] = [
      [words.say("grows"), bed?.product ?? words.say("nothing_grows")],
      [words.say("last"), last],
      [words.say("gps"), gps],
    ];
    this.part("facts").replaceChildren(
      ...facts.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value))),
    );
  }

  private drawKnown(): void {
    const { words } = this;
    const lines = this.shots.flatMap((shot, index) => {
      if (!shot.known) return [];
      const { known } = shot;
      if (!known.page_url) return [make("p", "", words.say("known_here", { n: index + 1 }))];
      const bed = this.beds.find((each) => each.code === known.location_code);
      const link = make("a", "", words.say("known_see"));
      link.href = known.page_url;
      return [make("p", "", words.say("known", { n: index + 1, bed: bed?.name ?? known.location_code ?? words.say("no_bed") }), " ", link)];
    });
    this.part("known").hidden = lines.length === 0;
    this.part("known-text").replaceChildren(...lines);
  }

  private async findKnown(): Promise<void> {
    const mine = await this.waiting.store.all(this.waiting.person);
    const here = new Set(mine.flatMap((delivery) => delivery.pictures.map((picture) => picture.sha256)));
    const known = await knownAmong(this.shots.map((shot) => shot.sha256));
    for (const shot of this.shots) {
      const waits = here.has(shot.sha256) ? { sha256: shot.sha256, location_code: null, page_url: "" } : undefined;
      shot.known = known.get(shot.sha256) ?? waits;
    }
    this.drawKnown();
  }

  private findPlace(): void {
    if (!isSecureContext || !navigator.geolocation || Date.now() - this.placeAt < SOON_MS) return;
    this.placeAt = Date.now();
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.place = { longitude: coords.longitude, latitude: coords.latitude };
        this.drawFacts();
      },
      () => undefined, // where one stands is a help and no more
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: SOON_MS },
    );
  }

  private async send(): Promise<void> {
    const { bed, shots } = this;
    if (!shots.length) return;
    this.shots = [];
    await this.waiting.queue.add(this.waiting.person, shots, {
      bed: bed ? { code: bed.code, name: bed.name, place: bed.place } : null,
      takenHere: shots.every((shot) => shot.takenHere),
      at: Math.max(...shots.map((shot) => shot.at)),
      source: "mobile",
    });
    shots.forEach((shot) => URL.revokeObjectURL(shot.url));
    void navigator.storage?.persist?.();
    if (bed) {
      await this.waiting.store.keep(`last/${this.waiting.person}`, bed.code);
      this.bed = after(this.beds, bed.code) ?? bed;
    }
    this.sayBed();
    this.toCamera();
    void this.waiting.send();
  }

  private sayLive(): void {
    const live = this.part("live");
    if (!this.camera.isOpen || this.root.dataset.showing !== "camera") {
      live.hidden = true;
      return;
    }
    const fault = this.camera.fault();
    live.hidden = false;
    live.classList.toggle("clay", Boolean(fault));
    live.textContent = fault ? this.words.say(fault) : this.words.say("sharp_light");
  }
}
