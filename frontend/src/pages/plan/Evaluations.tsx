import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, fieldErrors, may, useIdentity, useWrite, type components } from "../../api";
import { fiscalYearLabel, formatDate, parseDate } from "../../lib/date";
import { announce, Button, DateField, fieldsOf, FormDialog, Notice, PrivacyHint, RadioGroup, ScrollArea, Select, TextArea, TextField, type FieldErrors } from "../../ui";
import { filled } from "../platform/words";
import { YearHead } from "./YearHead";
import { STAGES, evaluatedGoals, goalName, yearHead, type Goal, type Sheet } from "./sheet";

type Evaluation = components["schemas"]["Evaluation"];
type Stage = Evaluation["stage"];

/** The word of the plan's owner comes last, and the newest word is the one that stands in the sheet. */
const ORDER: Stage[] = ["final", "committee", "interim", "self"];

/** 総合評価: goals by years, on the plan's own scale. A blank is not the lowest level: nobody has evaluated yet. */
export function Evaluations({ sheet }: { sheet: Sheet }) {
  const identity = useIdentity();
  const [open, setOpen] = useState<{ goal: Goal; year: number }>();
  const confirms = may(identity, "evaluations", "confirm", sheet.plan);
  const evaluates = may(identity, "evaluations", "create", sheet.plan);
  const goals = evaluatedGoals(sheet);
  const of = (goal: Goal, year: number) =>
    ORDER.flatMap((stage) => sheet.evaluations.filter((one) => one.goal_id === goal.id && one.fiscal_year === year && one.stage === stage));
  return (
    <section className="min-w-0">
      <h3 id="evaluation-heading" className="mb-2">
        総合評価
      </h3>
      {sheet.levels.length === 0 ? (
        <p className="text-solid-gray-700">評価基準がまだ登録されていません。</p>
      ) : (
        <>
          <ScrollArea labelledBy="evaluation-heading">
            <table className="data-table dense">
              <caption className="sr-only">目標と年度ごとの総合評価</caption>
              <thead>
                <tr>
                  <th scope="col" className="w-16">
                    年次
                  </th>
                  {sheet.fiscal_years.map((year) => (
                    <th key={year} scope="col" className="text-center!">
                      <YearHead year={year} />
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {goals.map((goal) => (
                  <tr key={goal.id}>
                    <th scope="row">
                      <span title={goal.title}>{goal.number ?? goal.title}</span>
                      {goal.number && <span className="sr-only">{goal.title}</span>}
                    </th>
                    {sheet.fiscal_years.map((year) => {
                      const [now, ...others] = of(goal, year);
                      const level = sheet.levels.find(({ id }) => id === now?.level_id);
                      const words = now ? `${level?.code ?? "所見のみ"}${now.stage === "final" ? "" : `（${STAGES[now.stage]}）`}` : "";
                      return (
                        <td key={year} className="text-center!">
                          {evaluates ? (
                            <>
                              <Button
                                variant={now ? "secondary" : "text"}
                                size="sm"
                                className={now ? "text-lg!" : "px-1! text-xs! font-normal!"}
                                aria-label={`${yearHead(year)} ${goalName(goal)}の評価：${words || "未評価"}。入力する`}
                                onClick={() => setOpen({ goal, year })}
                              >
                                {words || "未評価"}
                              </Button>
                              <span className="hidden text-lg font-bold print:inline">{words}</span>
                            </>
                          ) : words ? (
                            <span className="text-lg font-bold">{words}</span>
                          ) : (
                            <span className="no-print text-xs text-solid-gray-700">未評価</span>
                          )}
                          {others.length > 0 && (
                            <span className="no-print block text-xs text-solid-gray-700">
                              {others.map((one) => `${STAGES[one.stage]} ${sheet.levels.find(({ id }) => id === one.level_id)?.code ?? "－"}`).join("、")}
                            </span>
                          )}
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollArea>
          <p className="mt-2 text-sm">
            【評価基準】{" "}
            {sheet.levels.map(({ id, code, label, criteria }) => (
              <span key={id} className="me-4 inline-block">
                {code}：{criteria ?? label}
              </span>
            ))}
          </p>
        </>
      )}
      {open && <EvaluationForm key={`${open.goal.id}/${open.year}`} sheet={sheet} goal={open.goal} year={open.year} current={of(open.goal, open.year)} confirms={confirms} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

interface FormProps {
  sheet: Sheet;
  goal: Goal;
  year: number;
  /** The evaluations that hold now, one for each stage. */
  current: Evaluation[];
  /** May speak for the committee and give the final word. */
  confirms: boolean;
  onClose: () => void;
}

function EvaluationForm({ sheet, goal, year, current, confirms, onClose }: FormProps) {
  const queries = useQueryClient();
  const stages = ORDER.filter((stage) => confirms || stage === "self" || stage === "interim");
  const [stage, setStage] = useState<Stage>(confirms ? "final" : "self");
  const [level, setLevel] = useState("");
  const [remark, setRemark] = useState("");
  const [reason, setReason] = useState("");
  const [decidedOn, setDecidedOn] = useState("");
  const [decidedBy, setDecidedBy] = useState("");
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const before = current.find((one) => one.stage === stage);
  const levelOf = (id: string | null | undefined) => sheet.levels.find((one) => one.id === id);

  const save = async () => {
    const date = decidedOn.trim() ? parseDate(decidedOn)?.date : null;
    const found: FieldErrors = {
      ...(!level && !remark.trim() && { "/level_id": "評価の段階を選ぶか、所見を入力してください。" }),
      ...(before && !reason.trim() && { "/reason": "評価を変更する理由を入力してください。" }),
      ...(date === undefined && { "/decided_on": "決定日を 令和6年4月1日 または 2024/4/1 のように入力してください。" }),
    };
    setGaps(found);
    if (Object.keys(found).length > 0) return;
    const body = {
      goal_id: goal.id,
      fiscal_year: year,
      stage,
      level_id: level || null,
      remark: filled(remark),
      reason: before ? filled(reason) : null,
      decided_on: date ?? null,
      decided_by: filled(decidedBy),
      supersedes_id: before?.id ?? null,
    };
    const done = await run(body, (header) => client.POST("/api/v1/evaluations", { params: { header }, body }).then(() => true));
    // Refused because somebody evaluated meanwhile: the form then names that evaluation as the one to replace.
    await queries.invalidateQueries();
    if (!done) return;
    announce("評価を登録しました");
    onClose();
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("evaluation", errors);
  return (
    <FormDialog
      open
      form="evaluation"
      title={`${goalName(goal)}の評価（${fiscalYearLabel(year)}）`}
      submitLabel={before ? "評価を変更する" : "評価を登録する"}
      errors={errors}
      failure={error}
      busy={busy}
      dirty={Boolean(level || remark || reason)}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <Select {...field("/stage")} label="評価の区分" required value={stage} onChange={(value) => setStage(value as Stage)} options={stages.map((value) => ({ value, label: STAGES[value] }))} />
      {!confirms && <p className="text-solid-gray-700">委員会評価と総合評価は、組織の管理者が登録します。</p>}
      {before && (
        <Notice title={`登録済みの${STAGES[stage]}：${levelOf(before.level_id)?.code ?? "所見のみ"}`}>
          {before.remark && <p className="whitespace-pre-wrap">{before.remark}</p>}
          {(before.decided_on || before.decided_by) && (
            <p className="text-sm">
              {[before.decided_on && formatDate(before.decided_on), before.decided_by].filter(Boolean).join("　")}
            </p>
          )}
          <p className="text-sm">変更しても、前の評価は履歴に残ります。</p>
        </Notice>
      )}
      <RadioGroup
        label="評価の段階"
        value={level}
        onChange={setLevel}
        error={errors["/level_id"]}
        options={sheet.levels.map(({ id, code, label, criteria }) => ({ value: id, label: label === code ? code : `${code}　${label}`, hint: criteria ?? undefined }))}
      />
      {before && <TextArea {...field("/reason")} label="変更の理由" required rows={2} value={reason} onChange={setReason} />}
      <TextArea {...field("/remark")} label="所見" required={false} hint={<PrivacyHint />} rows={3} value={remark} onChange={setRemark} />
      <div className="grid gap-5 md:grid-cols-2">
        <DateField {...field("/decided_on")} label="決定日" required={false} value={decidedOn} onChange={setDecidedOn} />
        <TextField {...field("/decided_by")} label="決定した会議体など" required={false} hint="例：策定委員会" value={decidedBy} onChange={setDecidedBy} />
      </div>
    </FormDialog>
  );
}
