// A row of filters shows what was chosen at once; without scripts its button does.

export function startFilters(form: HTMLFormElement): void {
  form.querySelector<HTMLElement>("[data-submit]")?.setAttribute("hidden", "");
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[name]")) {
      const isDefault = field.value === "" || (field.type === "date" && field.value === field.getAttribute("max"));
      field.disabled = isDefault; // the address names only what is asked for
    }
  });
}
