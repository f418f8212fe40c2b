import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { replaceGlobal } from "./page";
import { photosIn, Queue } from "../src/count/queue";
import { asked, type Answer, type Begun, type Me, type Remote } from "../src/count/remote";
import type { Delivery, Store } from "../src/count/store";

const BED = { code: "A1", name: "Claro 1", place: "Nave 1 · Norte" };
const CHUNK = 4;

class Kept implements Store {
  deliveries = new Map<string, Delivery>();
  photos = new Map<string, Blob>();
  notes = new Map<string, unknown>();

  async all(person: string): Promise<Delivery[]> {
    const copies = [...this.deliveries.values()].map((each) => structuredClone(each));
    return copies.filter((each) => each.person === person).sort((a, b) => a.at - b.at);
  }

  async add(delivery: Delivery, photos: Blob[]): Promise<void> {
    this.deliveries.set(delivery.id, structuredClone(delivery));
    photos.forEach((photo, index) => this.photos.set(`${delivery.id}/${index}`, photo));
  }

  async change(delivery: Delivery): Promise<void> {
    if (this.deliveries.has(delivery.id)) this.deliveries.set(delivery.id, structuredClone(delivery));
  }

  async photo(id: string, index: number): Promise<Blob | undefined> {
    return this.photos.get(`${id}/${index}`);
  }

  async drop(id: string): Promise<void> {
    this.deliveries.delete(id);
    for (const key of [...this.photos.keys()]) if (key.startsWith(`${id}/`)) this.photos.delete(key);
  }

  async read<T>(name: string): Promise<T | undefined> {
    return this.notes.get(name) as T | undefined;
  }

  async keep(name: string, value: unknown): Promise<void> {
    this.notes.set(name, value);
  }
}

type Fault = Exclude<Answer<never>, { kind: "done" }>;
interface There {
  sizes: number[];
  offsets: number[];
  finished: boolean;
}

// A server with a memory; a fault stands in the way of one step, before or after it is done.
class Far implements Remote {
  person = "7";
  now = 10_000;
  uploads = new Map<string, There>();
  sessions = 0;
  steps: string[] = [];
  fault?: { step: string; answer: Fault; isAfter?: boolean };

  private answer<T>(step: string, act: () => T): Answer<T> {
    this.steps.push(step);
    const { fault } = this;
    const hits = fault?.step === step;
    if (hits) this.fault = undefined;
    if (hits && !fault.isAfter) return fault.answer;
    const body = act();
    return hits ? fault!.answer : { kind: "done", body };
  }

  async me(): Promise<Answer<Me>> {
    return this.answer("me", () => ({ person: this.person, form_token: "t", now: this.now }));
  }

  async begin(delivery: Delivery): Promise<Answer<Begun>> {
    return this.answer("begin", () => {
      const sizes = delivery.pictures.map((picture) => picture.size);
      const there = this.uploads.get(delivery.id) ?? { sizes, offsets: sizes.map(() => 0), finished: false };
      this.uploads.set(delivery.id, there);
      return this.begun(there);
    });
  }

  async chunk(id: string, position: number, offset: number, body: Blob): Promise<Answer<Begun>> {
    const there = this.uploads.get(id);
    if (!there) return { kind: "refused", problem: { code: "upload_not_found", title: "" } };
    if (there.offsets[position - 1] !== offset) {
      return { kind: "refused", problem: { code: "chunk_misplaced", title: "" } };
    }
    return this.answer(`chunk ${position} ${offset}`, () => {
      there.offsets[position - 1] = offset + body.size;
      return this.begun(there);
    });
  }

  async finish(id: string): Promise<Answer<unknown>> {
    const there = this.uploads.get(id)!;
    if (there.offsets.some((offset, i) => offset < there.sizes[i]!)) {
      return { kind: "refused", problem: { code: "upload_incomplete", title: "" } };
    }
    return this.answer("finish", () => {
      if (!there.finished) this.sessions += 1;
      there.finished = true;
      return {};
    });
  }

  private begun(there: There): Begun {
    const photos = there.sizes.map((size, i) => ({ position: i + 1, offset: there.offsets[i]!, size_bytes: size }));
    return { photos, chunk_bytes: CHUNK, is_finished: there.finished };
  }
}

let store: Kept;
let far: Far;
let queue: Queue;

beforeEach(() => {
  replaceGlobal("navigator", {});
  store = new Kept();
  far = new Far();
  queue = new Queue(store, far, (problem) => ({ code: problem.code, title: problem.title, action: "" }));
});

const NodeBlob = (await import("node:buffer")).Blob as unknown as typeof Blob;
const photo = (text: string) => ({ blob: new NodeBlob([text]), name: "1.jpg" });
const add = (person = "7", at = 1) =>
  queue.add(person, [photo("sixteen bytes..."), photo("six...")], { bed: BED, takenHere: true, source: "mobile", at });

test("a photo leaves the queue once the server has it, and not before", async () => {
  await add();
  assert.equal(photosIn(await store.all("7")), 2);
  assert.equal(await queue.sendAll(), "empty");
  assert.equal(far.sessions, 1);
  assert.deepEqual(await store.all("7"), []);
  assert.equal(store.photos.size, 0);
});

const STEPS = ["me", "begin", "chunk 1 0", "chunk 1 8", "chunk 2 4", "finish"];

for (const step of STEPS) {
  for (const isAfter of [false, true]) {
    test(`cut ${isAfter ? "after" : "before"} ${step}: it waits, and the next try sends it once`, async () => {
      await add();
      far.fault = { step, answer: { kind: "later" }, isAfter };
      assert.equal(await queue.sendAll(), "later");
      assert.equal((await store.all("7")).length, 1);
      assert.equal(await queue.sendAll(), "empty");
      assert.equal(far.sessions, 1);
      assert.deepEqual(await store.all("7"), []);
    });
  }
}

for (const step of STEPS) {
  test(`signed out at ${step}: it waits for who took it`, async () => {
    await add();
    far.fault = { step, answer: { kind: "sign_in" } };
    assert.equal(await queue.sendAll(), "sign_in");
    assert.equal((await store.all("7"))[0]!.state, "waiting");
  });
}

test("what has come is not sent again", async () => {
  await add();
  far.fault = { step: "chunk 1 8", answer: { kind: "later" } };
  await queue.sendAll();
  far.steps = [];
  await queue.sendAll();
  assert.deepEqual(far.steps.slice(0, 4), ["me", "begin", "chunk 1 8", "chunk 1 12"]);
});

test("another person's photos stay where they are", async () => {
  await add("8");
  assert.equal(await queue.sendAll(), "empty");
  assert.equal(far.sessions, 0);
  assert.equal((await store.all("8")).length, 1);
  assert.deepEqual(await store.all("7"), []);
});

for (const step of ["begin", "chunk 1 0", "finish"]) {
  test(`refused at ${step}: it stays with its reason, and the others go on`, async () => {
    await add("7", 1);
    await add("7", 2);
    far.fault = { step, answer: { kind: "refused", problem: { code: "location_inactive", title: "not in use" } } };
    assert.equal(await queue.sendAll(), "empty");
    const [left, ...others] = await store.all("7");
    assert.equal(left!.refusal?.title, "not in use");
    assert.deepEqual(others, []);
    assert.equal(far.sessions, 1);
  });
}

test("a refused photo for another bed is another delivery with the same bytes", async () => {
  const first = await add();
  far.fault = { step: "begin", answer: { kind: "refused", problem: { code: "location_inactive", title: "" } } };
  await queue.sendAll();
  const [left] = await store.all("7");
  await queue.moveTo(left!, { ...BED, code: "A2" });
  const [moved, ...others] = await store.all("7");
  assert.deepEqual(others, []);
  assert.notEqual(moved!.id, first.id);
  assert.deepEqual([moved!.bed?.code, moved!.state, moved!.refusal], ["A2", "waiting", undefined]);
  assert.equal(await queue.sendAll(), "empty");
  assert.equal(far.sessions, 1);
});

test("an upload that is a day old is begun again", async () => {
  await add();
  far.fault = { step: "chunk 2 0", answer: { kind: "later" } };
  await queue.sendAll();
  far.uploads.clear();
  assert.equal(await queue.sendAll(), "empty");
  assert.equal(far.sessions, 1);
});

test("a clock that runs ahead is set back before anything is sent, and once", async () => {
  await add("7", 99_000);
  far.fault = { step: "chunk 1 0", answer: { kind: "later" } };
  await queue.sendAll();
  far.now = 20_000;
  const [kept] = await store.all("7");
  assert.equal(kept!.at, 10_000);
  await queue.sendAll();
  assert.equal(far.sessions, 1);
});

test("the time of the shutter is sent for our camera alone", async () => {
  const delivery = await add("7", 0);
  assert.equal(asked(delivery).captured_at, "1970-01-01T00:00:00.000Z");
  assert.equal(asked({ ...delivery, takenHere: false }).captured_at, undefined);
  assert.equal(asked(delivery).location_code, "A1");
});

test("without the browser's own hash the same hash is made in script", async () => {
  const { sha256 } = await import("../src/count/hash");
  const bytes = new TextEncoder().encode("abc");
  const own = await sha256(bytes);
  const { subtle } = crypto;
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  assert.equal(await sha256(bytes), own);
  Object.defineProperty(crypto, "subtle", { value: subtle, configurable: true });
});
