// While a bed is typed, those whose code or name holds it are offered.
export function offerBeds(root: ParentNode): void {
  for (const field of root.querySelectorAll<HTMLInputElement>("[data-offers-beds]")) {
    let timer = 0;
    const ask = async () => {
      const list = document.getElementById(field.getAttribute("list")!);
      const answer = await fetch(`/parts/locations?location_code=${encodeURIComponent(field.value)}`).catch(() => null);
      if (answer?.ok && list) list.replaceChildren(...options(await answer.text()));
    };
    field.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void ask(), 200);
      for (const near of field.form?.querySelectorAll<HTMLInputElement>('[name="to_near"]') ?? []) {
        if (field.value) near.checked = false; // what is typed is meant
      }
    });
  }
}

function options(html: string): Element[] {
  return [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("option")];
}
