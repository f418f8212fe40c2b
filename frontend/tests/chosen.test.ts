import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { html, page, replaceGlobal, texts } from "./page";
import { Chosen } from "../src/chosen";

const FORM = `<form data-max-photos="3" data-text-none="none" data-text-one="one photo"
    data-text-many="{n} photos" data-text-too-many="at most {n}" data-text-remove="remove {name}">
  <input type="file" data-source="camera"><input type="file" data-source="gallery">
  <p data-chosen-text hidden></p><ul data-chosen></ul></form>`;

let form: HTMLFormElement;
let chosen: Chosen;
let changes: number;
let addresses: Set<string>;

beforeEach(() => {
  addresses = new Set();
  let count = 0;
  replaceGlobal("URL", {
    createObjectURL: () => {
      const address = `blob:${(count += 1)}`;
      addresses.add(address);
      return address;
    },
    revokeObjectURL: (address: string) => addresses.delete(address),
  });
  form = html<HTMLFormElement>(FORM);
  changes = 0;
  chosen = new Chosen(form, () => (changes += 1));
});

function photo(name: string, size = 10): File {
  return new File(["x".repeat(size)], name, { lastModified: 1 });
}

function choose(source: string, ...files: File[]): HTMLInputElement {
  const input = form.querySelector<HTMLInputElement>(`[data-source=${source}]`)!;
  Object.defineProperty(input, "files", { value: files, configurable: true });
  Object.defineProperty(input, "value", { value: files[0]?.name, configurable: true, writable: true });
  input.dispatchEvent(new Event("change"));
  return input;
}

const text = () => form.querySelector("[data-chosen-text]")?.textContent;
const remove = (name: string) => form.querySelector<HTMLElement>(`[aria-label="remove ${name}"]`)!;

test("nothing is chosen at first, and that is said", () => {
  assert.equal(text(), "none");
  assert.equal(form.querySelector<HTMLElement>("[data-chosen-text]")?.hidden, false);
  assert.equal(form.querySelector<HTMLElement>("[data-chosen]")?.hidden, true);
});

test("photos of camera and gallery gather, each with its picture", () => {
  choose("camera", photo("a.jpg"));
  assert.equal(text(), "one photo");
  choose("gallery", photo("b.jpg"), photo("c.heic"));
  assert.equal(text(), "3 photos");
  assert.equal(form.querySelector<HTMLElement>("[data-chosen]")?.hidden, false);
  assert.deepEqual([...form.querySelectorAll("img")].map((i) => i.alt), ["a.jpg", "b.jpg", "c.heic"]);
  assert.equal(changes, 2);
});

test("more than the server takes is said", () => {
  choose("gallery", photo("a"), photo("b"), photo("c"), photo("d"));
  assert.equal(text(), "at most 3");
  assert.equal(chosen.files.length, 4);
});

test("the same file twice is one photo; another of its name is another", () => {
  choose("gallery", photo("a.jpg"), photo("a.jpg"), photo("a.jpg", 11));
  assert.equal(chosen.files.length, 2);
});

test("the input is emptied so that a file that was removed can be chosen again", () => {
  const input = choose("camera", photo("a.jpg"));
  assert.equal(input.value, "");
  remove("a.jpg").click();
  choose("camera", photo("a.jpg"));
  assert.equal(text(), "one photo");
});

test("a photo is removed by its button, and only that one", () => {
  choose("gallery", photo("a.jpg"), photo("b.jpg"));
  remove("a.jpg").click();
  assert.deepEqual(chosen.files.map((f) => f.name), ["b.jpg"]);
  assert.equal(text(), "one photo");
});

test("while photos are sent none comes or goes", () => {
  choose("gallery", photo("a.jpg"));
  chosen.lock(true);
  choose("gallery", photo("b.jpg"));
  remove("a.jpg").click();
  assert.deepEqual(chosen.files.map((f) => f.name), ["a.jpg"]);
  chosen.lock(false);
  remove("a.jpg").click();
  assert.deepEqual(chosen.files, []);
});

test("photos can be dropped on the form", () => {
  const drop = Object.assign(new Event("drop", { cancelable: true }), {
    dataTransfer: { files: [photo("a.jpg")] },
  });
  form.dispatchEvent(drop);
  assert.equal(drop.defaultPrevented, true);
  assert.equal(text(), "one photo");
});

test("no picture's memory is kept after it is gone", () => {
  choose("gallery", photo("a.jpg"), photo("b.jpg"));
  assert.equal(addresses.size, 2);
  chosen.clear();
  assert.equal(addresses.size, 0);
  assert.equal(text(), "none");
});

test("a picture that the browser cannot show becomes its name", () => {
  choose("gallery", photo("a.heic"));
  form.querySelector("img")?.dispatchEvent(new page.Event("error") as unknown as Event);
  assert.equal(form.querySelector("img"), null);
  assert.deepEqual(texts(form, "li > span"), ["a.heic"]);
});
