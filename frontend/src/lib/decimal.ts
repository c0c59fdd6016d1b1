/**
 * Exact decimals. The server sends and takes them as strings ("23.30"); they are parsed, compared
 * and shown without ever becoming a float. Only the geometry of a chart uses `toChartNumber`.
 */

const PLAIN = /^(-?)(\d+)(?:\.(\d+))?$/;

interface Parts {
  /** Value times 10^scale. */
  units: bigint;
  scale: number;
}

function split(decimal: string): Parts {
  const match = PLAIN.exec(decimal);
  if (!match) throw new RangeError(`not a decimal: ${decimal}`);
  const [, sign = "", whole = "0", fraction = ""] = match;
  return { units: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length };
}

function join({ units, scale }: Parts): string {
  const sign = units < 0n ? "-" : "";
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-scale)}`;
}

const raise = ({ units, scale }: Parts, to: number) => units * 10n ** BigInt(to - scale);

export function compareDecimals(a: string, b: string): -1 | 0 | 1 {
  const left = split(a);
  const right = split(b);
  const scale = Math.max(left.scale, right.scale);
  const difference = raise(left, scale) - raise(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function subtractDecimals(a: string, b: string): string {
  const left = split(a);
  const right = split(b);
  const scale = Math.max(left.scale, right.scale);
  return join({ units: raise(left, scale) - raise(right, scale), scale });
}

export function addDecimals(a: string, b: string): string {
  const left = split(a);
  const right = split(b);
  const scale = Math.max(left.scale, right.scale);
  return join({ units: raise(left, scale) + raise(right, scale), scale });
}

export const isDecimal = (text: string) => PLAIN.test(text);

const MULTIPLIERS: Record<string, number> = { 千: 3, 万: 4, 百万: 6, 億: 8 };

/**
 * A number as typed by staff ("１，２３４．５", "△3", "154万", "1,540千円", "41％"), as a plain decimal
 * string, or null. A unit at the end (円, %, 人 …) is dropped: the field's label carries the unit.
 */
export function parseNumber(typed: string): string | null {
  const text = typed
    .normalize("NFKC")
    .replace(/\s+/g, "")
    .replace(/^[△▲−‐–—ー]/, "-");
  const match = /^([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(百万|千|万|億)?(?:円|%|人|回|件|か所|ヶ所|名|団体)?$/.exec(text);
  if (!match) return null;
  const [, sign = "", whole = "", fraction = "", multiplier] = match;
  const digits = whole.replace(/,/g, "").replace(/^0+(?=\d)/, "");
  const plain = `${sign === "-" ? "-" : ""}${digits}${fraction ? `.${fraction}` : ""}`;
  if (!multiplier) return plain;
  const { units, scale } = split(plain);
  const shift = MULTIPLIERS[multiplier] ?? 0;
  return shift >= scale
    ? join({ units: units * 10n ** BigInt(shift - scale), scale: 0 })
    : join({ units, scale: scale - shift });
}

/** 1,234.50; a negative number is written △1,234.50, as public documents do. */
export function formatDecimal(decimal: string): string {
  const match = PLAIN.exec(decimal);
  if (!match) return decimal;
  const [, sign = "", whole = "", fraction] = match;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign ? "△" : ""}${grouped}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** 1,540,000円 */
export const formatYen = (decimal: string) => `${formatDecimal(decimal)}円`;

/** 154万円, 3,250円 (below ten thousand), 154.35万円: exact, never rounded. */
export function formatManYen(decimal: string): string {
  const { units, scale } = split(decimal);
  const absolute = units < 0n ? -units : units;
  if (absolute < 10n ** BigInt(scale + 4)) return formatYen(decimal);
  const shifted = join({ units, scale: scale + 4 }).replace(/\.?0+$/, "");
  return `${formatDecimal(shifted)}万円`;
}

/** The change of a percentage, in points: ＋17.7ポイント, △2.0ポイント, ±0ポイント. */
export function formatPointChange(from: string, to: string): string {
  const change = subtractDecimals(to, from);
  const order = compareDecimals(change, "0");
  if (order === 0) return "±0ポイント";
  return `${order > 0 ? "＋" : ""}${formatDecimal(change)}ポイント`;
}

/** For the geometry of charts only: text on screen always comes from the decimal string. */
export const toChartNumber = (decimal: string) => Number(decimal);

/** numerator ÷ denominator (× `times`), rounded half up to `places` digits after the point; null when it has no value. */
export function divideDecimals(numerator: string, denominator: string, places: number, times = 1): string | null {
  const over = split(numerator);
  const under = split(denominator);
  if (under.units === 0n) return null;
  const top = over.units * BigInt(times) * 10n ** BigInt(under.scale + places);
  const bottom = under.units * 10n ** BigInt(over.scale);
  const negative = top < 0n !== bottom < 0n;
  const magnitude = (value: bigint) => (value < 0n ? -value : value);
  const rounded = (magnitude(top) * 2n + magnitude(bottom)) / (magnitude(bottom) * 2n);
  return join({ units: negative ? -rounded : rounded, scale: places });
}
