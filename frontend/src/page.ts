// On every page: htmx for the parts that renew themselves, the upload, and live progress.
import "htmx.org";
import { startFilters } from "./filters";
import { startGrowing } from "./growing";
import { followKeys } from "./keys";
import { followProgress } from "./progress";
import { startSearch } from "./search";
import { startUpload } from "./upload";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-upload]")) {
  startUpload(form);
}
for (const card of document.querySelectorAll<HTMLElement>("[data-progress]")) {
  followProgress(card);
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-growing]")) {
  startGrowing(form);
}
followKeys(document);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-auto-submit]")) {
  startFilters(form);
}
const finder = document.querySelector<HTMLDialogElement>("[data-finder]");
if (finder) startSearch(finder);
