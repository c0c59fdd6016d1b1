import { scaleLinear, scalePoint } from "@visx/scale";
import { LinePath } from "@visx/shape";
import { useId } from "react";
import { compareDecimals, formatDecimal, toChartNumber } from "../lib/decimal";
import { Table } from "./Table";

export interface ChartPoint {
  /** One of the chart's `periods`. */
  period: string;
  /** Exact decimal, or null when there is no value. */
  value: string | null;
  /** Why there is no value: 未実施, 未到来. */
  missing?: string;
  /** The series is not comparable with what came before; the reason. */
  breakReason?: string;
  provisional?: boolean;
  /** The value as printed, when it is more than the number: 23～24名程度. */
  printed?: string;
}

export interface ChartSeries {
  name: string;
  points: readonly ChartPoint[];
}

export interface LineChartProps {
  title: string;
  unit: string;
  /** Labels of the horizontal axis, in order: R4, R5, R6. */
  periods: readonly string[];
  series: readonly ChartSeries[];
  targets?: readonly { period: string; value: string }[];
  /** Where it all started; its own period and source. */
  baseline?: { period: string; value: string; source?: string };
  /** Smallest value of the axis; 0 unless the reader must see small changes. */
  from?: number;
}

const WIDTH = 760;
const HEIGHT = 320;
const EDGE = { top: 28, right: 28, bottom: 44, left: 68 };

/** Shape and dash tell the series apart on paper too; colour only helps. */
const LOOKS = [
  { stroke: "#0017c1", dash: undefined, shape: "circle" },
  { stroke: "#197a4b", dash: "10 4", shape: "square" },
  { stroke: "#ac3e00", dash: "3 3", shape: "triangle" },
  { stroke: "#8b008b", dash: "12 3 3 3", shape: "diamond" },
] as const;

function Marker({ shape, x, y, color, hollow }: { shape: string; x: number; y: number; color: string; hollow?: boolean }) {
  const paint = { fill: hollow ? "#fff" : color, stroke: color, strokeWidth: 2 };
  switch (shape) {
    case "square":
      return <rect x={x - 5} y={y - 5} width={10} height={10} {...paint} />;
    case "triangle":
      return <path d={`M${x} ${y - 7}l7 12h-14z`} {...paint} />;
    case "diamond":
      return <path d={`M${x} ${y - 8}l7 8l-7 8l-7 -8z`} {...paint} />;
    default:
      return <circle cx={x} cy={y} r={5} {...paint} />;
  }
}

interface Spot {
  point: ChartPoint;
  value: string;
}

/** Runs of values that may be joined by a line: a missing value or a series break ends one. */
export function segments(points: readonly ChartPoint[]): Spot[][] {
  const runs: Spot[][] = [];
  let open: Spot[] | null = null;
  for (const point of points) {
    if (point.value === null) {
      open = null;
      continue;
    }
    if (!open || point.breakReason !== undefined) {
      open = [];
      runs.push(open);
    }
    open.push({ point, value: point.value });
  }
  return runs;
}

/** A line chart together with the table of the same values, for those who cannot see it and for paper. */
export function LineChart({ title, unit, periods, series, targets = [], baseline, from = 0 }: LineChartProps) {
  const id = useId();
  const numbers = [
    ...series.flatMap((line) => line.points.flatMap((point) => (point.value === null ? [] : [toChartNumber(point.value)]))),
    ...targets.map((target) => toChartNumber(target.value)),
    ...(baseline ? [toChartNumber(baseline.value)] : []),
  ];
  const x = scalePoint({ domain: [...periods], range: [EDGE.left, WIDTH - EDGE.right], padding: 0.5 });
  const y = scaleLinear({
    domain: [Math.min(from, ...numbers), Math.max(from + 1, ...numbers)],
    range: [HEIGHT - EDGE.bottom, EDGE.top],
    nice: 5,
  });
  const at = (period: string) => x(period) ?? 0;
  const height = (value: string) => y(toChartNumber(value));
  const single = series.length === 1;
  // A value and the target of its period stand close together: the higher one is labelled above.
  const above = (point: ChartPoint, value: string) => {
    const target = targets.find((candidate) => candidate.period === point.period);
    return target === undefined || compareDecimals(value, target.value) >= 0;
  };
  const targetAbove = (target: { period: string; value: string }) => {
    const point = single ? series[0]?.points.find((candidate) => candidate.period === target.period) : undefined;
    return point?.value === undefined || point.value === null || !above(point, point.value);
  };
  const description = [
    ...series.map((line) => {
      const known = line.points.flatMap((point) => (point.value === null ? [] : [`${point.period} ${formatDecimal(point.value)}${unit}`]));
      return `${line.name}：${known.join("、") || "値はありません"}`;
    }),
    ...(targets.length > 0 ? [`目標値：${targets.map((target) => `${target.period} ${formatDecimal(target.value)}${unit}`).join("、")}`] : []),
    ...(baseline ? [`基準値：${baseline.period} ${formatDecimal(baseline.value)}${unit}`] : []),
  ].join("。");

  return (
    <figure className="grid max-w-[60rem] gap-4">
      <div className="scroll-area overflow-x-auto">
        <svg
          role="img"
          aria-labelledby={`${id}-title ${id}-desc`}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          className="h-auto w-full min-w-[36rem]"
          fontSize={14}
        >
          <title id={`${id}-title`}>{title}</title>
          <desc id={`${id}-desc`}>{description}</desc>
          <text x={EDGE.left - 8} y={14} textAnchor="end">
            （{unit}）
          </text>
          {y.ticks(5).map((tick) => (
            <g key={tick}>
              <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(tick)} y2={y(tick)} stroke="#ccc" />
              <text x={EDGE.left - 8} y={y(tick) + 5} textAnchor="end">
                {formatDecimal(String(tick))}
              </text>
            </g>
          ))}
          {periods.map((period) => (
            <text key={period} x={at(period)} y={HEIGHT - EDGE.bottom + 24} textAnchor="middle">
              {period}
            </text>
          ))}
          <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={HEIGHT - EDGE.bottom} y2={HEIGHT - EDGE.bottom} stroke="#333" />

          {targets.length > 0 && (
            <g>
              <LinePath data={[...targets]} x={(target) => at(target.period)} y={(target) => height(target.value)} stroke="#c74700" strokeWidth={2} strokeDasharray="6 4" />
              {targets.map((target) => (
                <g key={target.period}>
                  <line x1={at(target.period) - 16} x2={at(target.period) + 16} y1={height(target.value)} y2={height(target.value)} stroke="#c74700" strokeWidth={4} />
                  <text x={at(target.period)} y={height(target.value) + (targetAbove(target) ? -8 : 20)} textAnchor="middle" fill="#a33a00">
                    目標 {formatDecimal(target.value)}
                  </text>
                </g>
              ))}
            </g>
          )}

          {series.map((line, index) => {
            const look = LOOKS[index % LOOKS.length] ?? LOOKS[0];
            return (
              <g key={line.name}>
                {segments(line.points).map((run) => (
                  <LinePath
                    key={run[0]?.point.period}
                    data={run}
                    x={(spot) => at(spot.point.period)}
                    y={(spot) => height(spot.value)}
                    stroke={look.stroke}
                    strokeWidth={3}
                    strokeDasharray={look.dash}
                  />
                ))}
                {line.points.map((point) => (
                  <g key={point.period}>
                    {point.breakReason !== undefined && (
                      <>
                        <line x1={at(point.period) - 22} x2={at(point.period) - 22} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} stroke="#666" strokeDasharray="2 4" strokeWidth={2} />
                        <text x={at(point.period) - 22} y={EDGE.top - 8} textAnchor="middle">
                          ≠ 比較できません
                        </text>
                      </>
                    )}
                    {point.value === null ? (
                      <text x={at(point.period)} y={HEIGHT - EDGE.bottom - 8} textAnchor="middle" fill="#4d4d4d">
                        －
                      </text>
                    ) : (
                      <>
                        <Marker shape={look.shape} x={at(point.period)} y={height(point.value)} color={look.stroke} hollow={point.provisional} />
                        {single && (
                          <text x={at(point.period)} y={height(point.value) + (above(point, point.value) ? -12 : 24)} textAnchor="middle" fontWeight={700}>
                            {formatDecimal(point.value)}
                          </text>
                        )}
                      </>
                    )}
                  </g>
                ))}
              </g>
            );
          })}

          {baseline && (
            <g>
              <Marker shape="diamond" x={at(baseline.period)} y={height(baseline.value)} color="#333" hollow />
              <text x={at(baseline.period) + 12} y={height(baseline.value) + 20} textAnchor="start">
                基準 {formatDecimal(baseline.value)}
              </text>
            </g>
          )}
        </svg>
      </div>
      {!single && (
        <ul className="flex flex-wrap gap-x-6" aria-label="凡例">
          {series.map((line, index) => {
            const look = LOOKS[index % LOOKS.length] ?? LOOKS[0];
            return (
              <li key={line.name} className="flex items-center gap-2">
                <svg width={44} height={16} aria-hidden="true">
                  <line x1={0} x2={44} y1={8} y2={8} stroke={look.stroke} strokeWidth={3} strokeDasharray={look.dash} />
                  <Marker shape={look.shape} x={22} y={8} color={look.stroke} />
                </svg>
                {line.name}
              </li>
            );
          })}
        </ul>
      )}
      <ValueTable {...{ title, unit, periods, series, targets, baseline }} />
    </figure>
  );
}

function cellText(point: ChartPoint | undefined) {
  if (!point || point.value === null) return "－";
  return `${point.printed ?? formatDecimal(point.value)}${point.provisional ? "（速報）" : ""}`;
}

/** Why a value is missing, or not comparable with the one before. */
function noteOf(point: ChartPoint | undefined): string {
  if (point?.value === null) return point.missing ?? "";
  return point?.breakReason === undefined ? "" : `≠ 前の値と比較できません（${point.breakReason}）`;
}

function ValueTable({ title, unit, periods, series, targets = [], baseline }: LineChartProps) {
  const pointOf = (line: ChartSeries, period: string) => line.points.find((point) => point.period === period);
  const notes = (period: string) =>
    series
      .map((line) => ({ name: line.name, note: noteOf(pointOf(line, period)) }))
      .filter(({ note }) => note)
      .map(({ name, note }) => (series.length === 1 ? note : `${name}：${note}`))
      .join("、");
  return (
    <figcaption>
      <Table
        dense
        caption={`${title}（単位：${unit}）`}
        rows={periods}
        rowKey={(period) => period}
        columns={[
          { key: "period", header: "時期", rowHeader: true, cell: (period) => period },
          ...series.map((line) => ({
            key: line.name,
            header: line.name,
            number: true,
            cell: (period: string) => cellText(pointOf(line, period)),
          })),
          ...(targets.length > 0
            ? [
                {
                  key: "target",
                  header: "目標値",
                number: true,
                  cell: (period: string) => {
                    const target = targets.find((candidate) => candidate.period === period);
                    return target ? formatDecimal(target.value) : "－";
                  },
                },
              ]
            : []),
          ...(periods.some(notes) ? [{ key: "note", header: "備考", cell: notes }] : []),
        ]}
      />
      {baseline && (
        <p className="mt-1 text-sm">
          基準値：{formatDecimal(baseline.value)}
          {unit}（{baseline.period}
          {baseline.source && `、${baseline.source}`}）
        </p>
      )}
    </figcaption>
  );
}
