// A photo that can be walked through. The browser cuts it into tiles: from a copy for screens at
// first, from the whole one only when somebody looks nearer. Pictures are decoded beside the
// page's own thread and tiles are cut one a turn, so that the page never stands still.
import OpenSeadragon from "openseadragon";

const TILE_PX = 512;
const SMALLEST_LEVEL = 9; // one tile: 2 ** 9 = 512 pixels
const SHARP_ENOUGH = 0.9; // pixels of a copy for one of a tile

export interface PhotoSource {
  width: number; // pixels of the photo itself, upright
  height: number;
  screen: string; // addresses
  view: string;
}

// As the library asks for them.
export type Tiles = object;

interface TileJob {
  tile: { level: number; x: number; y: number };
  finish(data: CanvasRenderingContext2D, request: null, kind: "context2d"): void;
  fail(message: string, request: null): void;
}

// The library would add a style of its own to the page, which the page's policy forbids. It
// looks for one that is there already: an element of that name which is no style at all.
const noStyle = document.createElementNS(null, "style");
noStyle.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(noStyle);

export function openViewer(
  element: HTMLElement, tiles: Tiles, words: DOMStringMap, options: object,
): OpenSeadragon.Viewer {
  OpenSeadragon.setString("GestureHints.Touch", words.textTouch ?? "");
  OpenSeadragon.setString("GestureHints.Scroll", words.textScroll ?? "");
  return OpenSeadragon({
    element,
    tileSources: tiles as never,
    drawer: "canvas",
    showNavigationControl: false,
    visibilityRatio: 0.6,
    minZoomImageRatio: 0.9,
    imageLoaderLimit: 1,
    ...options,
  } as never);
}

// What the viewer asks for tiles. Throws where the photo's copy cannot be read.
export async function tilesOf(source: PhotoSource): Promise<Tiles> {
  const { width, height } = source;
  const small = await decoded(source.screen);
  const top = Math.ceil(Math.log2(Math.max(width, height)));
  let whole: Promise<ImageBitmap> | null = null;
  const pictureFor = (scale: number) => {
    if (small.width >= width * scale * SHARP_ENOUGH || source.view === source.screen) return small;
    whole ??= decoded(source.view);
    whole.catch(() => { whole = null; }); // asked for again with the next tile
    return whole;
  };
  return {
    width,
    height,
    tileSize: TILE_PX,
    tileOverlap: 0,
    minLevel: Math.min(SMALLEST_LEVEL, top),
    maxLevel: top,
    getTileUrl: (level: number, x: number, y: number) => `${source.view}#${level}-${x}-${y}`,
    downloadTileStart: async (job: TileJob) => {
      try {
        const scale = 2 ** (job.tile.level - top);
        const picture = await pictureFor(scale);
        await turn();
        job.finish(cut(picture, source, job.tile, scale), null, "context2d");
      } catch (error) {
        job.fail(String(error), null);
      }
    },
    downloadTileAbort: () => undefined,
  };
}

async function decoded(address: string): Promise<ImageBitmap> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return createImageBitmap(await answer.blob());
}

function cut(
  picture: ImageBitmap, { width, height }: PhotoSource, { x, y }: TileJob["tile"], scale: number,
): CanvasRenderingContext2D {
  const side = TILE_PX / scale; // in pixels of the photo, as the next four
  const [left, top] = [x * side, y * side];
  const [wide, high] = [Math.min(side, width - left), Math.min(side, height - top)];
  const [across, down] = [picture.width / width, picture.height / height];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.ceil(wide * scale));
  canvas.height = Math.max(1, Math.ceil(high * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.drawImage(
    picture, left * across, top * down, wide * across, high * down, 0, 0, canvas.width, canvas.height,
  );
  return pen;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
