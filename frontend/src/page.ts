// On every page: htmx for the parts that renew themselves, live progress, and photos on their way.
import "htmx.org";
import { startFilters } from "./filters";
import { startGrowing } from "./growing";
import { keepWorker } from "./keep-worker";
import { followKeys } from "./keys";
import { startMissingPictures } from "./missing-pictures";
import { followProgress } from "./progress";
import { startSearch } from "./search";
import { startToasts } from "./toast";
import { waiting } from "./count/waiting";

for (const card of document.querySelectorAll<HTMLElement>("[data-progress]")) {
  followProgress(card);
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-growing]")) {
  startGrowing(form);
}
followKeys(document);
startMissingPictures(document);
startToasts(document);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-auto-submit]")) {
  startFilters(form);
}
const finder = document.querySelector<HTMLDialogElement>("[data-finder]");
if (finder) startSearch(finder);

// Photos that are still on this phone are shown and sent from whichever page is open.
void waiting?.start();
if ("serviceWorker" in navigator) void keepWorker(navigator.serviceWorker);
