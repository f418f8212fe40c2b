// On every page: htmx for the parts that renew themselves, live progress, and photos on their way.
import "htmx.org";
import { startGrowing } from "./growing";
import { followProgress } from "./progress";
import { waiting } from "./count/waiting";

for (const card of document.querySelectorAll<HTMLElement>("[data-progress]")) {
  followProgress(card);
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-growing]")) {
  startGrowing(form);
}

// Photos that are still on this phone are shown and sent from whichever page is open.
void waiting?.start();
if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
