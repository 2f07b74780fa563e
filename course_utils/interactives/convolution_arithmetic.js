// The convolution explorer's arithmetic; the tests compare it with course_utils.arithmetic and
// with torch.

/** @typedef {"size" | "kernel" | "stride" | "padding" | "dilation"} Setting */
/** @typedef {Record<Setting, number>} Window */
/** @typedef {Window & {channels: number, filters: number}} Layer */
/** @typedef {{size: number, leftOver: number, reason?: undefined}} Fits */
/** @typedef {{reason: `The window ${string}`, size?: undefined, leftOver?: undefined}} Refused */
/** @typedef {{reach: number, padded: number} & (Fits | Refused)} Found */

/**
 * Along one axis: {size, reach, padded, leftOver}, or {reach, padded, reason} if none fits.
 * @type {(window: Window) => Found}
 */
export function outputSize({ size, kernel, stride, padding, dilation }) {
  const reach = dilation * (kernel - 1) + 1;
  const padded = size + 2 * padding;
  if (reach > padded) {
    const enough = padding + Math.ceil((reach - padded) / 2);
    const advice = `use padding ${enough} or more, or a smaller kernel or dilation.`;
    const only = `the padded input has only ${padded}`;
    return { reach, padded, reason: `The window spans ${reach} positions but ${only}: ${advice}` };
  }
  const leftOver = (padded - reach) % stride;
  return { size: (padded - reach - leftOver) / stride + 1, reach, padded, leftOver };
}

/**
 * TensorFlow's SAME along one axis: {size, before, after}.
 * @type {(window: Omit<Window, "padding">) => {size: number, before: number, after: number}}
 */
export function same({ size, kernel, stride, dilation }) {
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + dilation * (kernel - 1) + 1 - size, 0);
  return { size: out, before: Math.floor(total / 2), after: Math.ceil(total / 2) };
}

/** @type {(layer: Pick<Layer, "kernel" | "channels" | "filters">) => number} */
export function parameters({ kernel, channels, filters }) {
  return filters * (kernel * kernel * channels + 1);
}

/** @type {(layer: Pick<Layer, "kernel" | "channels" | "filters">, out: number) => number} */
export function multiplyAdds({ kernel, channels, filters }, out) {
  return out * out * filters * kernel * kernel * channels;
}

/**
 * How many input positions along one axis a unit sees after `depth` such layers.
 * @type {(window: Pick<Window, "kernel" | "stride" | "dilation">, depth: number) => number}
 */
export function receptiveField({ kernel, stride, dilation }, depth) {
  let field = 1;
  for (let layer = 0; layer < depth; layer++) field += dilation * (kernel - 1) * stride ** layer;
  return field;
}
