import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { html, replaceGlobal, promisesDone, texts } from "./page";
import { startUpload } from "../src/upload";

const SECTION = `<section><form data-max-photos="9" data-text-none="none" data-text-one="one"
      data-text-many="{n}" data-text-remove="remove {name}" data-text-sending="{percent} %"
      data-text-checking="checking" data-text-safe="Safe" data-text-not-sent="Not sent"
      data-text-retry="Again" data-text-see="See">
    <input name="location_code"><input name="note">
    <input type="file" data-source="gallery">
    <p data-chosen-text></p><ul data-chosen></ul>
    <button data-send></button>
    <div data-sending hidden><progress data-bar max="100"></progress><p data-sending-text></p></div>
  </form><div data-outcome hidden></div></section>`;

class Request {
  static all: Request[] = [];
  headers: Record<string, string> = {};
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  status = 0;
  response: unknown = null;
  body = new FormData();
  where = "";
  onload?: () => void;
  onerror?: () => void;

  constructor() {
    Request.all.push(this);
  }

  open(method: string, address: string): void {
    this.where = `${method} ${address}`;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  send(body: FormData): void {
    this.body = body;
  }

  answer(status: number, response: unknown): Promise<void> {
    this.status = status;
    this.response = response;
    this.onload?.();
    return promisesDone();
  }

  fail(): Promise<void> {
    this.onerror?.();
    return promisesDone();
  }
}

let section: HTMLElement;
let form: HTMLFormElement;
let isPhone = false;
let announced = 0;

beforeEach(() => {
  Request.all = [];
  isPhone = false;
  announced = 0;
  replaceGlobal("XMLHttpRequest", Request);
  replaceGlobal("URL", { createObjectURL: () => "blob:x", revokeObjectURL: () => undefined });
  replaceGlobal("matchMedia", () => ({ matches: isPhone }));
  section = html(SECTION);
  form = section.querySelector("form")!;
  startUpload(form);
});

document.body.addEventListener("sessions-changed", () => (announced += 1));

const part = <T extends HTMLElement = HTMLElement>(name: string) =>
  section.querySelector<T>(`[data-${name}]`)!;
const outcome = () => part("outcome");
const last = () => Request.all.at(-1)!;

function choose(...names: string[]): void {
  const input = part<HTMLInputElement>("source=gallery");
  const files = names.map((name) => new File(["x"], name));
  Object.defineProperty(input, "files", { value: files, configurable: true });
  input.dispatchEvent(new Event("change"));
}

function write(name: string, value: string): void {
  const input = form.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function submit(): Promise<void> {
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  return promisesDone();
}

const session = { session_id: "7", is_new: true, location_code: "A1", page_url: "/sessions/7" };

test("without photos nothing can be sent", async () => {
  assert.equal(part<HTMLButtonElement>("send").disabled, true);
  await submit();
  assert.equal(Request.all.length, 0);
  choose("a.jpg");
  assert.equal(part<HTMLButtonElement>("send").disabled, false);
});

test("photos go with what the form says, trimmed, and where they come from", async () => {
  choose("a.jpg", "b.jpg");
  write("location_code", "  b-02 ");
  write("note", "   ");
  isPhone = true;
  await submit();
  assert.equal(last().where, "POST /api/v1/stock/photo");
  assert.match(last().headers["Idempotency-Key"]!, /^[0-9a-f]{32}$/);
  assert.deepEqual(
    last().body.getAll("files").map((file) => (file as File).name),
    ["a.jpg", "b.jpg"],
  );
  assert.equal(last().body.get("location_code"), "B-02");
  assert.equal(last().body.get("note"), null);
  assert.equal(last().body.get("upload_source"), "mobile");
});

test("what is sent is shown, and it cannot be sent twice", async () => {
  choose("a.jpg");
  await submit();
  assert.equal(part("sending").hidden, false);
  assert.equal(part("send").hidden, true);
  last().upload.onprogress?.({ loaded: 1, total: 3 });
  assert.equal(part("sending-text").textContent, "33 %");
  last().upload.onprogress?.({ loaded: 3, total: 3 });
  assert.equal(part("sending-text").textContent, "checking");
  await submit();
  assert.equal(Request.all.length, 1);
});

test("what was taken in is said to be safe and the form is empty again", async () => {
  choose("a.jpg");
  await submit();
  await last().answer(202, session);
  assert.equal(outcome().className, "outcome safe");
  assert.deepEqual(texts(outcome(), "h2, a"), ["Safe", "See · A1"]);
  assert.equal(part("chosen-text").textContent, "none");
  assert.equal(part<HTMLButtonElement>("send").disabled, true);
  assert.equal(announced, 1);
});

test("several sessions have a link each", async () => {
  choose("a.jpg", "b.jpg");
  await submit();
  await last().answer(202, [session, { ...session, location_code: "B2" }]);
  assert.deepEqual(texts(outcome(), "a"), ["See · A1", "See · B2"]);
});

test("a refusal keeps the photos, and they can be sent again", async () => {
  choose("a.jpg");
  await submit();
  await last().answer(422, { code: "not_a_photo", title: "No photo", detail: "a.jpg is text" });
  assert.equal(outcome().className, "outcome refused");
  assert.deepEqual(texts(outcome(), "li"), ["a.jpg is text"]);
  assert.equal(part("chosen-text").textContent, "one");
  assert.equal(part<HTMLButtonElement>("send").disabled, false);
  assert.equal(announced, 0);
});

test("after a lost answer trying again is the same request", async () => {
  choose("a.jpg");
  await submit();
  await last().fail();
  assert.deepEqual(texts(outcome(), "h2, button"), ["Not sent", "Again"]);
  outcome().querySelector("button")?.click();
  await promisesDone();
  assert.equal(Request.all.length, 2);
  assert.equal(Request.all[0]!.headers["Idempotency-Key"], last().headers["Idempotency-Key"]);
});

test("other photos or another location are another request", async () => {
  choose("a.jpg");
  await submit();
  await last().fail();
  choose("b.jpg");
  await submit();
  await last().fail();
  write("location_code", "c1");
  await submit();
  const keys = new Set(Request.all.map((request) => request.headers["Idempotency-Key"]));
  assert.equal(keys.size, 3);
});

for (const [what, status, response] of [
  ["a proxy's page", 502, null],
  ["a body that is no problem", 500, { message: "x" }],
  ["an accepted upload without a body", 202, null],
] as const) {
  test(`${what} counts as not sent`, async () => {
    choose("a.jpg");
    await submit();
    await last().answer(status, response);
    assert.deepEqual(texts(outcome(), "h2"), ["Not sent"]);
  });
}

test("choosing photos takes the last outcome away", async () => {
  choose("a.jpg");
  await submit();
  await last().answer(202, session);
  choose("b.jpg");
  assert.equal(outcome().hidden, true);
});
