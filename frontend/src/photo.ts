// The photo that can be walked through: OpenSeadragon below, what was counted drawn above.
import type OpenSeadragon from "openseadragon";
import { Overlay, type Drawn, type Kind } from "./overlay";
import { openViewer, tilesOf } from "./viewer";

async function start(figure: HTMLElement): Promise<void> {
  const stage = figure.querySelector<HTMLElement>("[data-stage]")!;
  const still = stage.querySelector("img")!;
  const [width, height] = [Number(still.getAttribute("width")), Number(still.getAttribute("height"))];
  const { detectionsUrl = "", viewUrl = "", screenUrl = "" } = figure.dataset;
  const [drawn, tiles] = await Promise.all([
    detected(detectionsUrl),
    tilesOf({ width, height, screen: screenUrl, view: viewUrl }).catch(() => null),
  ]);
  if (!drawn) return;
  if (!tiles) return tell(figure, figure.dataset.textFailed ?? "");

  const place = document.createElement("div");
  place.className = "viewer";
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", still.alt);
  stage.append(place);
  const viewer = openViewer(place, tiles, figure.dataset, {
    maxZoomPixelRatio: 6,
    animationTime: 0.5,
    cooperativeGestures: true, // one finger and the plain wheel scroll the page
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, scrollToZoom: true },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
  });
  viewer.addOnceHandler("tile-drawn", () => {
    const overlay = new Overlay(viewer, drawn);
    stage.dataset.ready = "true"; // the still picture makes way
    wireLayers(figure, overlay, drawn);
    wireZoom(figure, viewer);
    wireContainers(viewer, overlay, drawn);
  });
}

async function detected(address: string): Promise<Drawn | null> {
  const answer = await fetch(address);
  return answer.ok ? (((await answer.json()) as Drawn[])[0] ?? null) : null;
}

function tell(figure: HTMLElement, words: string): void {
  const told = document.createElement("p");
  told.className = "hint";
  told.textContent = words;
  figure.append(told);
}

function wireLayers(figure: HTMLElement, overlay: Overlay, drawn: Drawn): void {
  const counts: Record<Kind, number> = {
    containers: drawn.containers.length,
    plants: drawn.plants.length,
    empties: drawn.empties.length,
    residual: drawn.residual.length,
  };
  figure.querySelector<HTMLElement>("[data-layers]")!.hidden = false;
  for (const box of figure.querySelectorAll<HTMLInputElement>("[data-layer]")) {
    const layer = box.dataset.layer as Kind;
    box.addEventListener("change", () => overlay.show(layer, box.checked));
    overlay.show(layer, box.checked); // the browser may remember an earlier choice
  }
  for (const place of figure.querySelectorAll<HTMLElement>("[data-count]")) {
    place.textContent = counts[place.dataset.count as Kind].toLocaleString(document.documentElement.lang);
  }
}

function wireZoom(figure: HTMLElement, viewer: OpenSeadragon.Viewer): void {
  for (const button of figure.querySelectorAll<HTMLButtonElement>("[data-zoom]")) {
    button.addEventListener("click", () => {
      if (button.dataset.zoom === "whole") viewer.viewport.goHome();
      else viewer.viewport.zoomBy(button.dataset.zoom === "in" ? 1.8 : 1 / 1.8);
      viewer.viewport.applyConstraints();
    });
  }
}

// A tap on a container marks its row; a row's button shows its container.
function wireContainers(viewer: OpenSeadragon.Viewer, overlay: Overlay, drawn: Drawn): void {
  const rows = [...document.querySelectorAll<HTMLElement>("tr[data-container]")];
  const mark = (index: number | null) => {
    overlay.select(index);
    for (const row of rows) row.classList.toggle("marked", row.dataset.container === String(index));
  };
  viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const at = viewer.viewport.viewerElementToImageCoordinates(event.position);
    mark(overlay.containerAt(at.x, at.y));
  });
  for (const button of document.querySelectorAll<HTMLElement>("[data-show]")) {
    const found = drawn.containers.find((c) => String(c.index) === button.dataset.show);
    if (!found) continue;
    button.addEventListener("click", () => {
      mark(found.index);
      const xs = found.polygon.map(([x]) => x);
      const ys = found.polygon.map(([, y]) => y);
      const [left, top] = [Math.min(...xs), Math.min(...ys)];
      const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
      const bounds = viewer.viewport.imageToViewportRectangle(
        left - width * 0.1, top - height * 0.1, width * 1.2, height * 1.2,
      );
      viewer.viewport.fitBoundsWithConstraints(bounds);
      viewer.element.scrollIntoView({ block: "center", behavior: "smooth" });
    });
  }
}

for (const figure of document.querySelectorAll<HTMLElement>("figure[data-photo]")) {
  void start(figure);
}
