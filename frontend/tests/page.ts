// A page without a browser: what the islands touch of one, and nothing else.
import { Window } from "happy-dom";

const NAMES = [
  "document", "Event", "CustomEvent", "File", "Blob", "FormData", "HTMLElement", "MessageEvent",
] as const;

export const page = new Window({ url: "http://localhost/" });

const globals = globalThis as Record<string, unknown>;
for (const name of NAMES) globals[name] = page[name];
globals.window = page;

export function html<T extends HTMLElement>(text: string): T {
  document.body.innerHTML = text;
  return document.body.firstElementChild as T;
}

export function replaceGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

export function texts(parent: ParentNode, selector: string): string[] {
  return [...parent.querySelectorAll(selector)].map((element) => element.textContent ?? "");
}

// Everything that only waits for promises has happened after this.
export async function promisesDone(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
