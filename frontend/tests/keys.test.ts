import assert from "node:assert/strict";
import { test } from "node:test";
import { html, page } from "./page";
import { followKeys } from "../src/keys";

function press(target: EventTarget, key: string, more: Record<string, boolean> = {}): Event {
  const event = Object.assign(new page.Event("keydown", { bubbles: true, cancelable: true }), { key, ...more });
  target.dispatchEvent(event as unknown as Event);
  return event as unknown as Event;
}

test("a letter presses what names it, but not while somebody types or holds Control", () => {
  html(`<main><button data-key="r">R</button><input id="words"></main>`);
  const button = document.querySelector<HTMLElement>("[data-key]")!;
  Object.defineProperty(button, "offsetParent", { value: document.body });
  let presses = 0;
  button.addEventListener("click", () => (presses += 1));
  followKeys(document);
  press(document.body, "r");
  press(document.body, "R");
  assert.equal(presses, 2);
  press(document.querySelector("#words")!, "r");
  press(document.body, "r", { ctrlKey: true });
  press(document.body, "x");
  assert.equal(presses, 2);
});
