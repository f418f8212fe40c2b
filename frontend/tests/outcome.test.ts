import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { html, texts } from "./page";
import { Outcome, type Accepted } from "../src/outcome";

const WORDS = {
  textSafe: "Safe",
  textSafeText: "They are being counted.",
  textAgain: "Already here",
  textAgainText: "Nothing was added.",
  textSee: "See",
  textNoLocation: "no location",
  textNotSent: "Not sent",
  textNotSentText: "No connection.",
  textRetry: "Try again",
  problems: JSON.stringify({
    photo_truncated: { title: "the file breaks off", action: "Take it again." },
  }),
};

let box: HTMLElement;
let outcome: Outcome;

beforeEach(() => {
  box = html<HTMLElement>('<div tabindex="-1" hidden></div>');
  outcome = new Outcome(box, WORDS);
});

function session(facts: Partial<Accepted> = {}): Accepted {
  return { session_id: "7", is_new: true, location_code: "A1", page_url: "/sessions/7", ...facts };
}

test("a new session is safe, with a link to it", () => {
  outcome.accepted([session()]);
  assert.equal(box.hidden, false);
  assert.equal(box.className, "outcome safe");
  assert.deepEqual(texts(box, "h2, p"), ["Safe", "They are being counted."]);
  assert.deepEqual(texts(box, "a"), ["See · A1"]);
  assert.equal(box.querySelector("a")?.getAttribute("href"), "/sessions/7");
});

test("sessions that were there already are said to be, unless one is new", () => {
  outcome.accepted([session({ is_new: false })]);
  assert.deepEqual(texts(box, "h2, p"), ["Already here", "Nothing was added."]);
  outcome.accepted([session({ is_new: false }), session({ location_code: null })]);
  assert.deepEqual(texts(box, "h2"), ["Safe"]);
  assert.deepEqual(texts(box, "a"), ["See · A1", "See · no location"]);
});

test("a refusal says each file's reason in the page's language where it has it", () => {
  outcome.refused({
    code: "photos_refused",
    title: "Photos are refused",
    detail: "2 of 3",
    next_action: "Look at each.",
    files: [
      { code: "photo_truncated", detail: "a.jpg: breaks off", file: "a.jpg" },
      { code: "not_a_photo", detail: "b.txt is text", file: "b.txt" },
    ],
  });
  assert.equal(box.className, "outcome refused");
  assert.deepEqual(texts(box, "li"), ["a.jpg: the file breaks off", "b.txt is text"]);
  assert.deepEqual(texts(box, "p"), ["Photos are refused", "Look at each."]);
});

test("a refusal that the page knows is said with the page's own advice", () => {
  outcome.refused({ code: "photo_truncated", title: "Truncated", detail: "at byte 7" });
  assert.deepEqual(texts(box, "h2, p"), ["Not sent", "the file breaks off", "Take it again."]);
  assert.deepEqual(texts(box, "li"), ["at byte 7"]);
});

test("a refusal without advice has none", () => {
  new Outcome(box, {}).refused({ code: "gone", title: "Gone", detail: "It is gone." });
  assert.deepEqual(texts(box, "h2, p, li"), ["Gone", "Gone", "It is gone."]);
});

test("the name of a file is text and never markup", () => {
  outcome.refused({ code: "x", title: "t", detail: "<img src=x onerror=alert(1)>" });
  assert.equal(box.querySelector("img"), null);
  assert.deepEqual(texts(box, "li"), ["<img src=x onerror=alert(1)>"]);
});

test("without a connection there is a button that tries again", () => {
  let tries = 0;
  outcome.unreachable(() => (tries += 1));
  assert.deepEqual(texts(box, "h2, p, button"), ["Not sent", "No connection.", "Try again"]);
  box.querySelector("button")?.click();
  assert.equal(tries, 1);
});

test("it can be hidden and shown again", () => {
  outcome.accepted([session()]);
  outcome.hide();
  assert.equal(box.hidden, true);
  outcome.accepted([]);
  assert.equal(box.hidden, false);
  assert.deepEqual(texts(box, "a"), []);
});
