// The photos chosen so far, from however many goes at camera and gallery, with small pictures.

export class Chosen {
  files: File[] = [];
  private readonly list: HTMLElement;
  private readonly text: HTMLElement;
  private locked = false;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly changed: () => void,
  ) {
    this.list = form.querySelector<HTMLElement>("[data-chosen]")!;
    this.text = form.querySelector<HTMLElement>("[data-chosen-text]")!;
    for (const input of form.querySelectorAll<HTMLInputElement>("[data-source]")) {
      input.addEventListener("change", () => {
        this.add([...(input.files ?? [])]);
        input.value = ""; // the same file may be chosen again; our list is what is sent
      });
    }
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
    this.draw();
  }

  clear(): void {
    this.files = [];
    this.draw();
    this.changed();
  }

  lock(is: boolean): void {
    this.locked = is;
  }

  private add(files: File[]): void {
    if (this.locked) return;
    for (const file of files) {
      const here = this.files.some(
        (f) => f.name === file.name && f.size === file.size && f.lastModified === file.lastModified,
      );
      if (!here) this.files.push(file);
    }
    this.draw();
    this.changed();
  }

  private remove(file: File): void {
    if (this.locked) return;
    this.files = this.files.filter((f) => f !== file);
    this.draw();
    this.changed();
  }

  private draw(): void {
    const { textNone = "", textOne = "", textMany = "", textTooMany = "" } = this.form.dataset;
    const most = Number(this.form.dataset.maxPhotos ?? 100);
    const n = this.files.length;
    this.text.hidden = false;
    this.text.textContent =
      n === 0 ? textNone
      : n > most ? textTooMany.replace("{n}", String(most))
      : n === 1 ? textOne
      : textMany.replace("{n}", String(n));
    for (const picture of this.list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
    this.list.replaceChildren(...this.files.map((file) => this.item(file)));
    this.list.hidden = n === 0;
  }

  private item(file: File): HTMLElement {
    const item = document.createElement("li");
    const picture = document.createElement("img");
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    // HEIC and TIFF are fine to send though few browsers show them.
    picture.addEventListener("error", () => picture.replaceWith(Object.assign(document.createElement("span"), { textContent: file.name })));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", (this.form.dataset.textRemove ?? "").replace("{name}", file.name));
    remove.addEventListener("click", () => this.remove(file));
    item.append(picture, remove);
    return item;
  }
}
