// A small picture that does not come (it is no longer kept, or the store is away) is an empty place
// with a sign, not a broken image; its words stay for those who hear them.
const NOTHING = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const SMALL = "img.thumb, .session-row img, .shot img, .bed-discard-photo";

export function startMissingPictures(page: Document): void {
  const mark = (picture: HTMLImageElement) => {
    picture.classList.add("is-missing");
    picture.src = NOTHING;
  };
  page.addEventListener("error", ({ target }) => {
    if (target instanceof HTMLImageElement && target.matches(SMALL)) mark(target);
  }, true); // such events do not rise
  for (const picture of page.querySelectorAll<HTMLImageElement>(SMALL)) {
    if (picture.complete && picture.currentSrc && !picture.naturalWidth) mark(picture);
  }
}
