import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { html, replaceGlobal, promisesDone } from "./page";
import { followProgress } from "../src/progress";

const CARD = `<div data-watch-url="/watch/7" data-poll-url="/poll/7" data-text-waiting="waiting"
    data-text-counting="counting"><h2 data-progress-title></h2>
  <progress data-bar max="1"></progress><span data-percent></span><p data-no-worker hidden></p></div>`;

type Listener = (event: { data: string }) => void;

class Source {
  static all: Source[] = [];
  isClosed = false;
  private readonly listeners = new Map<string, Listener>();

  constructor(readonly address: string) {
    Source.all.push(this);
  }

  addEventListener(kind: string, listener: Listener): void {
    this.listeners.set(kind, listener);
  }

  close(): void {
    this.isClosed = true;
  }

  say(kind: string, facts: Record<string, unknown> = {}): void {
    this.listeners.get(kind)!({ data: JSON.stringify(progress(facts)) });
  }
}

let card: HTMLElement;
let reloads: number;
let asked: string[];
let answer: () => Promise<unknown>;

beforeEach(() => {
  Source.all = [];
  reloads = 0;
  asked = [];
  mock.timers.enable({ apis: ["setInterval"] });
  replaceGlobal("EventSource", Source);
  replaceGlobal("location", { reload: () => (reloads += 1) });
  replaceGlobal("fetch", (address: string) => {
    asked.push(address);
    return answer();
  });
  card = html(CARD);
});

afterEach(() => mock.timers.reset());

function progress(facts: Record<string, unknown> = {}): Record<string, unknown> {
  return { status: "processing", is_end: false, progress: 0.5, workers_alive: 1, ...facts };
}

function answering(facts: Record<string, unknown>, ok = true): () => Promise<unknown> {
  return async () => ({ ok, json: async () => progress(facts) });
}

function lose(source: Source, times: number): void {
  for (let n = 0; n < times; n += 1) source.say("error");
}

function pass(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  return promisesDone();
}

const source = () => Source.all[0]!;
const text = (name: string) => card.querySelector(`[data-${name}]`)!.textContent;

test("a card without addresses is left alone", () => {
  followProgress(html("<div></div>"));
  assert.equal(Source.all.length, 0);
});

test("progress is drawn as it is heard", () => {
  followProgress(card);
  assert.equal(source().address, "/watch/7");
  source().say("progress", { status: "pending", progress: 0 });
  assert.deepEqual([text("progress-title"), text("percent")], ["waiting", "0 %"]);
  source().say("progress", { progress: 0.667 });
  assert.deepEqual([text("progress-title"), text("percent")], ["counting", "67 %"]);
  assert.equal(card.querySelector<HTMLProgressElement>("[data-bar]")!.value, 0.667);
});

test("without a worker that is said, for as long as there is none", () => {
  followProgress(card);
  const warning = card.querySelector<HTMLElement>("[data-no-worker]")!;
  source().say("progress", { workers_alive: 0 });
  assert.equal(warning.hidden, false);
  source().say("progress", { workers_alive: 2 });
  assert.equal(warning.hidden, true);
});

test("at the end the page is loaded again, once, and nothing more is heard", () => {
  followProgress(card);
  source().say("end", { is_end: true });
  assert.equal(reloads, 1);
  assert.equal(source().isClosed, true);
});

test("a connection that breaks now and then goes on by itself", async () => {
  followProgress(card);
  lose(source(), 2);
  source().say("progress");
  lose(source(), 2);
  await pass(10_000);
  assert.equal(source().isClosed, false);
  assert.deepEqual(asked, []);
});

test("where events do not come through it asks every two seconds", async () => {
  answer = answering({ progress: 0.25 });
  followProgress(card);
  lose(source(), 3);
  assert.equal(source().isClosed, true);
  await pass(1999);
  assert.deepEqual(asked, []);
  await pass(1);
  assert.deepEqual(asked, ["/poll/7"]);
  assert.equal(text("percent"), "25 %");
  answer = answering({ is_end: true });
  await pass(2000);
  assert.equal(reloads, 1);
});

test("an answer that fails or never comes changes nothing, and it asks again", async () => {
  followProgress(card);
  source().say("progress", { progress: 0.5 });
  lose(source(), 3);
  answer = () => Promise.reject(new TypeError("no connection"));
  await pass(2000);
  answer = answering({ progress: 0.9 }, false);
  await pass(2000);
  assert.equal(text("percent"), "50 %");
  answer = answering({ progress: 0.75 });
  await pass(2000);
  assert.equal(asked.length, 3);
  assert.equal(text("percent"), "75 %");
});
