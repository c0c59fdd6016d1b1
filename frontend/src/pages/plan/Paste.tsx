import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, etagOf, writeHeaders } from "../../api";
import { announce, Button, Notice } from "../../ui";
import type { Actions, Place } from "./Cell";
import { KIND_WORDS, splitMarker, yearHead, type CellState, type Item } from "./sheet";

/** A cell of the sheet that something was pasted into. */
export interface Target {
  place: Place;
  items: readonly Item[];
  readOnlyReason: string | undefined;
  text: string;
}

type Step =
  | { done: "created"; item: Item }
  | { done: "changed"; item: Item; before: Item }
  /** なし and the like, which the first line written into the cell has ended. */
  | { done: "opened"; place: Place; state: CellState };

interface Failure {
  where: string;
  text: string;
  why: string;
}

interface Report {
  title: string;
  steps: Step[];
  failures: Failure[];
}

const nameOf = ({ year, block }: Place) => `${yearHead(year)} ${block.actor?.label ?? ""}${KIND_WORDS[block.kind]}`;
const whyOf = (error: unknown) => (error instanceof Error ? error.message : "保存できませんでした。");

/**
 * Pasting a table into the sheet: line by line into the cells, an existing line is replaced by the one pasted onto it,
 * none is deleted. What could not be stored is listed with its text, and the whole can be undone.
 */
export function usePaste(actions: Actions) {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<{ word: string; done: number; all: number }>();
  const [report, setReport] = useState<Report>();

  const pasteLine = async (place: Place, item: Item | undefined, typed: string): Promise<Step[]> => {
    if (!item) {
      const steps: Step[] = place.cell && place.cell.state !== "not_entered" ? [{ done: "opened", place, state: place.cell.state }] : [];
      return [...steps, { done: "created", item: await actions.create(place, typed, crypto.randomUUID()) }];
    }
    const { marker, text } = splitMarker(typed, item.marker);
    if (marker === item.marker && text === item.text) return [];
    return [{ done: "changed", before: item, item: await actions.change(item, { marker, text }, etagOf(item.version)) }];
  };

  const paste = async (targets: readonly Target[], beside: readonly string[]) => {
    const steps: Step[] = [];
    const failures: Failure[] = beside.map((text) => ({ where: "シートの外", text, why: "貼り付ける欄がありません。" }));
    setReport(undefined);
    for (const [index, { place: start, items, readOnlyReason, text }] of targets.entries()) {
      setProgress({ word: "貼り付けています", done: index, all: targets.length });
      let place = start;
      const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
      for (const [at, line] of lines.entries()) {
        try {
          if (readOnlyReason !== undefined) throw new Error(`編集できません。${readOnlyReason}。`);
          const stored = await pasteLine(place, items[at], line);
          const created = stored.find((step) => step.done === "created");
          if (created) place = { ...place, cell: undefined, last: created.item };
          steps.push(...stored);
        } catch (error) {
          failures.push({ where: nameOf(place), text: line, why: whyOf(error) });
        }
      }
    }
    setProgress(undefined);
    const count = (done: Step["done"]) => steps.filter((step) => step.done === done).length;
    const title = steps.length > 0 ? `貼り付けました：新しい行${count("created")}、変更した行${count("changed")}` : failures.length > 0 ? "貼り付けられませんでした" : "貼り付けた内容は、今の内容と同じです";
    setReport({ title, steps, failures });
    announce(`${title}${failures.length > 0 ? `。${failures.length}行は貼り付けられませんでした` : ""}`);
  };

  const undoStep = async (step: Step) => {
    if (step.done === "created") {
      await client.DELETE("/api/v1/roadmap-items/{roadmap_item_id}", { params: { path: { roadmap_item_id: step.item.id }, header: writeHeaders(etagOf(step.item.version)) } });
    } else if (step.done === "changed") {
      await actions.change(step.item, { marker: step.before.marker, text: step.before.text }, etagOf(step.item.version));
    } else {
      await actions.setCell(step.place, { state: step.state });
    }
  };

  const undo = async ({ steps }: Report) => {
    const failures: Failure[] = [];
    setReport(undefined);
    // Last things first: a cell says なし again when its lines are gone.
    for (const [index, step] of [...steps].reverse().entries()) {
      setProgress({ word: "元に戻しています", done: index, all: steps.length });
      try {
        await undoStep(step);
      } catch (error) {
        const why = whyOf(error);
        failures.push(step.done === "opened" ? { where: nameOf(step.place), text: "", why } : { where: yearHead(step.item.fiscal_year), text: step.item.text, why });
      }
    }
    await queries.invalidateQueries();
    setProgress(undefined);
    const title = failures.length > 0 ? "一部を元に戻せませんでした" : "貼り付けを元に戻しました";
    setReport({ title, steps: [], failures });
    announce(title);
  };

  const notice = progress ? (
    <p role="status" className="no-print mb-2 font-bold">
      … {progress.word}（{progress.done}／{progress.all}）
    </p>
  ) : (
    report && (
      <div className="no-print mb-2">
        <Notice
          tone={report.failures.length > 0 ? "warning" : "info"}
          live
          title={report.title}
          actions={
            <>
              {report.steps.length > 0 && (
                <Button variant="secondary" size="sm" onClick={() => void undo(report)}>
                  貼り付けを元に戻す
                </Button>
              )}
              <Button variant="text" size="sm" onClick={() => setReport(undefined)}>
                閉じる
              </Button>
            </>
          }
        >
          {report.failures.length > 0 && (
            <>
              <p>次の{report.failures.length}行は保存されていません。</p>
              <ul className="ms-6 max-h-48 list-disc overflow-auto">
                {report.failures.map(({ where, text, why }, index) => (
                  <li key={index}>
                    {where}「<span className="select-all">{text}</span>」：{why}
                  </li>
                ))}
              </ul>
            </>
          )}
        </Notice>
      </div>
    )
  );
  return { paste, notice };
}
