// The queue of one phone: photos are in it from the shutter until the server has said 202.
import { bytesOf, sha256 } from "./hash";
import type { Begun, Me, Problem, Remote } from "./remote";
import { newId, type BedName, type Delivery, type Refusal, type Store } from "./store";

export type Outcome = "empty" | "later" | "sign_in" | "busy";
type Step = "safe" | "later" | "sign_in" | "refused" | "again";

const MOST_TURNS = 5; // of a delivery that must begin again, in one run
const BEHIND_S = 2; // what our clock may be ahead of the server's before it is set back

export interface Wish {
  bed: BedName | null;
  takenHere: boolean;
  source: "mobile" | "web";
  at?: number;
}

export class Queue {
  constructor(
    private readonly store: Store,
    private readonly remote: Remote,
    private readonly refusalOf: (problem: Problem) => Refusal,
    private readonly changed: () => void = () => undefined,
  ) {}

  async add(person: string, photos: { blob: Blob; name: string; sha256?: string }[], wish: Wish): Promise<Delivery> {
    const pictures = await Promise.all(
      photos.map(async ({ blob, name, sha256: known }) => ({
        sha256: known ?? (await sha256(await bytesOf(blob))),
        size: blob.size,
        name,
      })),
    );
    const { bed, takenHere, source, at = Date.now() } = wish;
    const delivery: Delivery = {
      id: newId(), person, bed, takenHere, source, at, pictures, state: "waiting", sentBytes: 0,
    };
    await this.store.add(delivery, photos.map((photo) => photo.blob));
    this.changed();
    return delivery;
  }

  // A refused delivery for another bed: another request, under an id of its own.
  async moveTo(delivery: Delivery, bed: BedName): Promise<void> {
    const photos = await this.photosOf(delivery);
    const { refusal: _, ...rest } = delivery;
    await this.store.add({ ...rest, id: newId(), bed, state: "waiting", sentBytes: 0 }, photos);
    await this.drop(delivery);
  }

  async drop(delivery: Delivery): Promise<void> {
    await this.store.drop(delivery.id);
    this.changed();
  }

  private async photosOf(delivery: Delivery): Promise<Blob[]> {
    const photos = await Promise.all(delivery.pictures.map((_, i) => this.store.photo(delivery.id, i)));
    return photos.filter((photo) => photo !== undefined);
  }

  // Sends what waits, oldest first; one page of this browser at a time.
  async sendAll(): Promise<Outcome> {
    const locks = navigator.locks as LockManager | undefined; // not there without TLS
    if (!locks) return this.send();
    return locks.request("demeter-queue", { ifAvailable: true }, (lock) => (lock ? this.send() : "busy"));
  }

  private async send(): Promise<Outcome> {
    const me = await this.remote.me();
    if (me.kind === "sign_in") return "sign_in";
    if (me.kind !== "done") return "later";
    await this.store.keep("person", me.body.person);
    const waiting = (await this.store.all(me.body.person)).filter((d) => d.state === "waiting");
    for (const delivery of waiting) {
      const step = await this.sendOne(delivery, me.body);
      if (step === "sign_in") return "sign_in";
      if (step === "later" || step === "again") return "later";
    }
    return "empty";
  }

  private async sendOne(delivery: Delivery, me: Me): Promise<Step> {
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const step = await this.turn(delivery, me);
      if (step === "safe") await this.store.drop(delivery.id);
      if (step !== "again") {
        this.changed();
        return step;
      }
    }
    return "again";
  }

  private async turn(delivery: Delivery, me: Me): Promise<Step> {
    if (delivery.takenHere && delivery.at > me.now + BEHIND_S * 1000 && delivery.sentBytes === 0) {
      delivery.at = me.now; // nothing is taken later than now; this phone's clock is ahead
      await this.store.change(delivery);
    }
    const begun = await this.remote.begin(delivery, me);
    if (begun.kind === "refused") return this.refuse(delivery, begun.problem);
    if (begun.kind !== "done") return begun.kind;
    if (!begun.body.is_finished) {
      const step = await this.sendPhotos(delivery, begun.body, me);
      if (step) return step;
    }
    const end = await this.remote.finish(delivery.id, me);
    if (end.kind === "done") return "safe";
    if (end.kind !== "refused") return end.kind;
    const isGone = ["upload_not_found", "upload_incomplete"].includes(end.problem.code);
    return isGone ? "again" : this.refuse(delivery, end.problem);
  }

  private async sendPhotos(delivery: Delivery, begun: Begun, me: Me): Promise<Step | undefined> {
    for (const { position, offset, size_bytes: size } of begun.photos) {
      const photo = await this.store.photo(delivery.id, position - 1);
      if (!photo) return "again"; // sent by another page, and gone
      for (let at = offset; at < size; ) {
        const body = photo.slice(at, at + begun.chunk_bytes);
        const answer = await this.remote.chunk(delivery.id, position, at, body, me);
        if (answer.kind === "refused") return this.afterChunk(delivery, answer.problem);
        if (answer.kind !== "done") return answer.kind;
        const next = answer.body.photos[position - 1]!.offset;
        at = next;
        delivery.sentBytes = answer.body.photos.reduce((sum, each) => sum + each.offset, 0);
        await this.store.change(delivery);
        this.changed();
      }
    }
    return undefined;
  }

  private afterChunk(delivery: Delivery, problem: Problem): Promise<Step> | Step {
    // Where it goes on is asked again; what cannot be so at all is a refusal.
    const passes = ["chunk_misplaced", "chunk_damaged", "upload_not_found"].includes(problem.code);
    return passes ? "again" : this.refuse(delivery, problem);
  }

  private async refuse(delivery: Delivery, problem: Problem): Promise<Step> {
    delivery.state = "refused";
    delivery.refusal = this.refusalOf(problem);
    await this.store.change(delivery);
    return "refused";
  }
}

export const photosIn = (deliveries: Delivery[]): number =>
  deliveries.reduce((sum, delivery) => sum + delivery.pictures.length, 0);
