import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { promisesDone } from "./page";
import { keepWorker } from "../src/keep-worker";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

class Installing {
  state = "installing";
  private readonly listeners: (() => void)[] = [];

  addEventListener(_kind: "statechange", listener: () => void): void {
    this.listeners.push(listener);
  }

  become(state: string): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

// Registers as it is told: each answer is one of a try, the last one for all that follow.
function container(...answers: (Installing | null | Error)[]) {
  const asked = { times: 0, active: null as object | null, claims: 0, controller: null as object | null };
  let becomesReady: (registration: object) => void = () => undefined;
  const ready = new Promise((resolve) => (becomesReady = resolve));
  const postMessage = (what: string) => void (asked.claims += what === "claim" ? 1 : 0);
  const register = async () => {
    const answer = answers[Math.min(asked.times++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return { installing: answer, get active() { return asked.active; } };
  };
  const activate = () => becomesReady({ active: { postMessage } });
  const as = { register, ready, get controller() { return asked.controller; } };
  return { asked, activate, as: as as unknown as ServiceWorkerContainer };
}

test("an installation that failed is tried again after a while", async () => {
  const [first, second] = [new Installing(), new Installing()];
  const { asked, as } = container(first, second);
  await keepWorker(as);
  first.become("redundant");
  assert.equal(asked.times, 1);
  mock.timers.tick(2_000);
  await promisesDone();
  assert.equal(asked.times, 2);
  second.become("installed");
  second.become("activated");
  mock.timers.tick(600_000);
  assert.equal(asked.times, 2);
});

test("one that another took the place of is left alone", async () => {
  const old = new Installing();
  const { asked, as } = container(old);
  await keepWorker(as);
  asked.active = {};
  old.become("redundant");
  mock.timers.tick(600_000);
  await promisesDone();
  assert.equal(asked.times, 1);
});

test("a line that is away is not asked for ever", async () => {
  const { asked, as } = container(new Error("away"));
  await keepWorker(as);
  for (let passed = 0; passed < 20; passed++) {
    mock.timers.tick(60_000);
    await promisesDone();
  }
  assert.equal(asked.times, 9);
});

test("an installation that ended before anybody listened is tried again", async () => {
  const { asked, as } = container(null, new Installing());
  await keepWorker(as);
  mock.timers.tick(2_000);
  await promisesDone();
  assert.equal(asked.times, 2);
});

test("a page that the worker passed over asks to be its own, another does not", async () => {
  const passedOver = container(new Installing());
  await keepWorker(passedOver.as);
  passedOver.activate();
  await promisesDone();
  assert.equal(passedOver.asked.claims, 1);
  const claimed = container(new Installing());
  await keepWorker(claimed.as);
  claimed.asked.controller = {};
  claimed.activate();
  await promisesDone();
  assert.equal(claimed.asked.claims, 0);
});
