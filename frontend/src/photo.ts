// The photo that can be walked through: OpenSeadragon below, what was counted drawn above.
import OpenSeadragon from "openseadragon";
import { Overlay, type Drawn, type Layer } from "./overlay";


// The library would add a style of its own to the page, which the page's policy forbids. It
// looks for one that is there already: an element of that name which is no style at all.
const noStyle = document.createElementNS(null, "style");
noStyle.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(noStyle);

async function start(figure: HTMLElement): Promise<void> {
  const stage = figure.querySelector<HTMLElement>("[data-stage]")!;
  const still = stage.querySelector("img")!;
  const answer = await fetch(figure.dataset.detectionsUrl!);
  if (!answer.ok) return;
  const drawn = ((await answer.json()) as Drawn[])[0];
  if (!drawn) return;

  const place = document.createElement("div");
  place.className = "viewer";
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", still.alt);
  stage.append(place);
  const viewer = OpenSeadragon({
    element: place,
    tileSources: { type: "image", url: figure.dataset.viewUrl! } as never,
    drawer: "canvas",
    showNavigationControl: false,
    visibilityRatio: 0.6,
    minZoomImageRatio: 0.9,
    maxZoomPixelRatio: 6,
    animationTime: 0.5,
    cooperativeGestures: true, // one finger and the plain wheel scroll the page
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, scrollToZoom: true },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
  });
  viewer.addOnceHandler("open-failed", () => {
    place.remove();
    const told = document.createElement("p");
    told.className = "hint";
    told.textContent = figure.dataset.textFailed ?? "";
    figure.append(told);
  });
  viewer.addOnceHandler("tile-drawn", () => {
    const overlay = new Overlay(viewer, drawn);
    stage.dataset.ready = "true"; // the still picture makes way
    wireLayers(figure, overlay, drawn);
    wireZoom(figure, viewer);
    wireContainers(viewer, overlay, drawn);
  });
}

function wireLayers(figure: HTMLElement, overlay: Overlay, drawn: Drawn): void {
  const counts: Record<Layer, number> = {
    containers: drawn.containers.length,
    plants: drawn.plants.length,
    empties: drawn.empties.length,
    residual: drawn.residual.length,
  };
  figure.querySelector<HTMLElement>("[data-layers]")!.hidden = false;
  for (const box of figure.querySelectorAll<HTMLInputElement>("[data-layer]")) {
    const layer = box.dataset.layer as Layer;
    box.addEventListener("change", () => overlay.show(layer, box.checked));
    overlay.show(layer, box.checked); // the browser may remember an earlier choice
  }
  for (const place of figure.querySelectorAll<HTMLElement>("[data-count]")) {
    place.textContent = counts[place.dataset.count as Layer].toLocaleString(document.documentElement.lang);
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
    mark(overlay.containerAt(at.x / overlay.share, at.y / overlay.share));
  });
  for (const button of document.querySelectorAll<HTMLElement>("[data-show]")) {
    const found = drawn.containers.find((c) => String(c.index) === button.dataset.show);
    if (!found) continue;
    button.addEventListener("click", () => {
      mark(found.index);
      const xs = found.polygon.map(([x]) => x * overlay.share);
      const ys = found.polygon.map(([, y]) => y * overlay.share);
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
  const { textTouch = "", textScroll = "" } = figure.dataset;
  OpenSeadragon.setString("GestureHints.Touch", textTouch);
  OpenSeadragon.setString("GestureHints.Scroll", textScroll);
  void start(figure);
}
