import type { Standing } from "./words";

/** Word and shape say it; no colour is needed. */
const MARKS: Record<Standing, { sign: string; word: string; look: string }> = {
  achieved: { sign: "◎", word: "達成", look: "border-success-2 text-success-2" },
  not_achieved: { sign: "▲", word: "未達成", look: "border-dashed border-warning-orange-2 text-warning-orange-2" },
  in_progress: { sign: "▷", word: "年度の途中", look: "border-dashed border-key-900 text-key-900" },
  no_value: { sign: "－", word: "値なし", look: "border-dotted border-solid-gray-700 text-solid-gray-800" },
  undecided: { sign: "？", word: "自動判定なし", look: "border-dotted border-solid-gray-700 text-solid-gray-800" },
  no_target: { sign: "・", word: "目標なし", look: "border-transparent text-solid-gray-800" },
};

/** Nothing while it is not known. */
export function StandingMark({ standing }: { standing: Standing | undefined }) {
  if (!standing) return null;
  const { sign, word, look } = MARKS[standing];
  return (
    <span className={`inline-flex items-center gap-1 rounded-4 border-2 bg-white px-2 text-sm font-bold leading-[1.6] ${look}`}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
}
