// Keys of the page: each presses what shows it. What is open comes before what lies under it.

export function pressKey(key: string): boolean {
  const wanted = key.toLowerCase();
  const all = [...document.querySelectorAll<HTMLElement>("[data-key]")];
  const named = all.filter((one) => one.dataset.key!.toLowerCase() === wanted && isThere(one));
  const inOpen = named.find((one) => one.closest("details.act[open] > .sheet"));
  const isDigit = /^\d$/.test(wanted);
  const isChoosing = document.querySelector("details.act[open] > .sheet [data-key]") !== null;
  const target = inOpen ?? (isDigit && isChoosing ? undefined : named[0]);
  if (!target) return false;
  target.click();
  const sheet = target.closest("details[open]");
  sheet?.querySelector<HTMLElement>("input.num, .numbers input:not([type=hidden])")?.focus();
  return true;
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && (target.matches("input:not([type=checkbox], [type=radio]), select, textarea") || target.isContentEditable);
}

function isThere(one: HTMLElement): boolean {
  const closed = one.closest("details:not([open])");
  return !one.closest("[hidden]") && (closed === null || (one.tagName === "SUMMARY" && one.parentElement === closed));
}
