// Whether a picture will do, told at the bed: is it sharp, is there light, is it large enough.

export interface Grey {
  width: number;
  height: number;
  values: Uint8ClampedArray | Uint8Array; // one a pixel, row by row
}

export type Fault = "blurred" | "dark" | "glaring" | "small";

export const SIDE = 640; // of the copy that is judged, on its longer side

// Tried on 22 real photos of plants (benches, trays, pots), as they are and blurred: sharp ones have
// 3.8 to 9.1; blurred evenly by 0.6 % of the side 1.5 to 2.2; moved by 0.6 % 1.6 to 2.6, by 1.2 %
// 1.6 to 3.1. Their mean light is 62 to 209. A photo of less than 1,200 px shows plants of a bed
// under the 24 px from which they are found.
export const THRESHOLDS = { sharpness: 3, dark: 45, glaring: 225, longSide: 1200 };

// How much of the finest detail goes when the picture is smoothed a little more: much in a sharp
// one, little in one that is smooth already. The weaker of both directions, for a moved picture is
// sharp across its movement. The plain variance of the Laplacian told a calm scene for a blurred one.
export function sharpness({ width, height, values }: Grey): number {
  const across = detailLost(values, width, height, 1);
  const down = detailLost(values, width, height, width);
  return Math.min(across, down);
}

function detailLost(values: Grey["values"], width: number, height: number, step: number): number {
  let fine = 0;
  let smooth = 0;
  for (let y = 2; y < height - 2; y += 1) {
    for (let x = 2; x < width - 2; x += 1) {
      const at = y * width + x;
      const a = values[at - 2 * step]!;
      const b = values[at - step]!;
      const c = values[at]!;
      const d = values[at + step]!;
      const e = values[at + 2 * step]!;
      fine += (2 * c - b - d) ** 2;
      // The same of the mean of three: 2(b+c+d) - (a+b+c) - (c+d+e), a third of it.
      smooth += ((b + d - a - e) / 3) ** 2;
    }
  }
  return fine / Math.max(1e-9, smooth);
}

export function light({ values }: Grey): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / Math.max(1, values.length);
}

export function faultOf(grey: Grey, longSide: number): Fault | undefined {
  const mean = light(grey);
  if (mean < THRESHOLDS.dark) return "dark";
  if (mean > THRESHOLDS.glaring) return "glaring";
  if (sharpness(grey) < THRESHOLDS.sharpness) return "blurred";
  return longSide < THRESHOLDS.longSide ? "small" : undefined;
}

// A small grey copy of what a canvas can draw.
export function greyOf(source: CanvasImageSource, width: number, height: number, side = SIDE): Grey {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(3, Math.round(width * scale));
  canvas.height = Math.max(3, Math.round(height * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const values = new Uint8Array(canvas.width * canvas.height);
  for (let i = 0; i < values.length; i += 1) {
    values[i] = (data[4 * i]! * 77 + data[4 * i + 1]! * 150 + data[4 * i + 2]! * 29) >> 8;
  }
  return { width: canvas.width, height: canvas.height, values };
}
