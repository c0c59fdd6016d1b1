import { useState } from "react";
import { client, type components } from "../../api";
import { formatPeriod, formatUnderstood, understandPeriod, wrongWeekdays } from "../../lib/period";
import { formatDate } from "../../lib/date";
import { formatDecimal, parseNumber } from "../../lib/decimal";
import { Button, Checkbox, NumberField, PrivacyHint, Select, Table, TextArea, TextField, type FieldErrors } from "../../ui";
import { optionsOf } from "../kpi/words";
import { RecordDialog, Rows } from "../platform/RecordDialog";
import { filled } from "../platform/words";
import { MEDIA_KINDS, type Project, type ProjectFields } from "./words";

type Schemas = components["schemas"];

interface PartProps {
  project: Project;
  editable: boolean;
}

const update = (id: string) => (body: Partial<ProjectFields>, header: { "Idempotency-Key": string; "If-Match": string }) =>
  client.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: id }, header }, body });

interface PartHeadProps {
  title: string;
  editable: boolean;
  onEdit: () => void;
}

function PartHead({ title, editable, onEdit }: PartHeadProps) {
  return (
    <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
      <h2>{title}</h2>
      {editable && (
        <Button variant="secondary" size="sm" aria-label={`${title}を編集`} className="no-print" onClick={onEdit}>
          編集
        </Button>
      )}
    </div>
  );
}

const NONE = <p className="text-solid-gray-700">（未記入）</p>;

// ---------------------------------------------------------------------------------------------
// 成果検証結果

/** Results by round, each round named once; the order stays. */
function byRound(rows: readonly Schemas["Verification"][]) {
  const groups: { round: string | null; texts: string[] }[] = [];
  for (const { round, text } of rows) {
    const last = groups.at(-1);
    if (last && last.round === (round ?? null)) last.texts.push(text);
    else groups.push({ round: round ?? null, texts: [text] });
  }
  return groups;
}

export function VerificationPart({ project, editable }: PartProps) {
  const [editing, setEditing] = useState(false);
  return (
    <section>
      <PartHead title="成果検証結果" editable={editable} onEdit={() => setEditing(true)} />
      {project.verification.length === 0 ? (
        NONE
      ) : (
        <dl className="grid gap-3">
          {byRound(project.verification).map(({ round, texts }, index) => (
            <div key={index} className={project.verification.some((one) => one.round) ? "grid gap-x-4 md:grid-cols-[6rem_1fr]" : undefined}>
              <dt className="font-bold">{round ?? <span className="sr-only">全体</span>}</dt>
              <dd>
                <ul className="ms-5 list-disc">
                  {texts.map((text, at) => (
                    <li key={at} className="whitespace-pre-wrap">
                      {text}
                    </li>
                  ))}
                </ul>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {editing && (
        <RecordDialog<Project, { rows: { round: string; text: string }[] }, Pick<ProjectFields, "verification">>
          wide
          title="成果検証結果を編集"
          submitLabel="保存する"
          record={project}
          names={{ verification: "成果検証結果" }}
          toDraft={(from) => ({ rows: from?.verification.map(({ round, text }) => ({ round: round ?? "", text })) ?? [] })}
          toFields={({ rows }) => {
            const errors: FieldErrors = {};
            rows.forEach(({ text }, index) => {
              if (!text.trim()) errors[`/verification/${index}/text`] = `${index + 1}番目の結果を入力してください。`;
            });
            return { errors, fields: { verification: rows.map(({ round, text }) => ({ ...(filled(round) && { round: filled(round) }), text: text.trim() })) } };
          }}
          update={update(project.id)}
          onClose={() => setEditing(false)}
        >
          {({ draft, set, field }) => (
            <>
              <PrivacyHint />
              <Rows label="結果" rows={draft.rows} onChange={(rows) => set({ rows })} blank={{ round: "", text: "" }}>
                {({ round, text }, change, index) => (
                  <div className="grid gap-3 md:grid-cols-[10rem_1fr]">
                    <TextField label="回" size="sm" hint="例：第1回" value={round} onChange={(value) => change({ round: value })} />
                    <TextArea {...field(`/verification/${index}/text`)} label="検証の結果" rows={2} value={text} onChange={(value) => change({ text: value })} />
                  </div>
                )}
              </Rows>
            </>
          )}
        </RecordDialog>
      )}
    </section>
  );
}

// ---------------------------------------------------------------------------------------------
// 実施時期

/** The printed weekday is not that of the day: shown, never corrected. */
function WeekdayFindings({ printed, year }: { printed: string | null | undefined; year: number }) {
  return (
    <>
      {wrongWeekdays(printed ?? "", year).map(({ date, printed: said, actual }) => (
        <strong key={date} className="block text-warning-orange-2">
          ▲ 曜日の不一致：表記は「{said}」、{formatDate(date, { weekday: false })}は{actual}曜日です
        </strong>
      ))}
    </>
  );
}

const timesOf = ({ start_time: start, end_time: end }: Pick<Schemas["Schedule"], "start_time" | "end_time">) =>
  start ? `${start}${end ? `～${end}` : ""}` : "";

interface ScheduleDraft {
  label: string;
  printed: string;
  place: string;
  done: boolean;
  /** What the row came with: an untouched text keeps its dates. */
  stored?: Schemas["Schedule"];
}

function scheduleOf({ label, printed, place, done, stored }: ScheduleDraft, year: number): Schemas["Schedule"] {
  const kept = stored && formatPeriod(stored.when) === printed;
  const { when, ...times } = kept
    ? { when: stored.when, ...(stored.start_time && { start_time: stored.start_time }), ...(stored.end_time && { end_time: stored.end_time }) }
    : understandPeriod(printed.trim(), year);
  return { ...(filled(label) && { label: filled(label) }), when, ...times, ...(filled(place) && { place: filled(place) }), done };
}

export function SchedulesPart({ project, editable }: PartProps) {
  const [editing, setEditing] = useState(false);
  const year = project.fiscal_year;
  return (
    <section>
      <PartHead title="実施時期" editable={editable} onEdit={() => setEditing(true)} />
      {project.schedules.length === 0 ? (
        NONE
      ) : (
        <Table
          caption="実施時期"
          captionHidden
          rows={project.schedules.map((schedule, index) => ({ schedule, index }))}
          rowKey={({ index }) => String(index)}
          columns={[
            { key: "label", header: "内容", width: "14rem", cell: ({ schedule }) => schedule.label },
            { key: "printed", header: "資料の表記", rowHeader: true, width: "16rem", cell: ({ schedule }) => formatPeriod(schedule.when) },
            {
              key: "understood",
              header: "読み取った日",
              cell: ({ schedule }) => (
                <>
                  {formatUnderstood(schedule.when) || <span className="text-solid-gray-700">日は未定</span>}　{timesOf(schedule)}
                  <WeekdayFindings printed={schedule.when.printed} year={year} />
                </>
              ),
            },
            { key: "place", header: "場所", cell: ({ schedule }) => schedule.place },
            { key: "done", header: "実施", width: "6rem", cell: ({ schedule }) => (schedule.done ? "✓ 実施済" : "○ 予定") },
          ]}
        />
      )}
      {editing && (
        <RecordDialog<Project, { rows: ScheduleDraft[] }, Pick<ProjectFields, "schedules">>
          wide
          title="実施時期を編集"
          submitLabel="保存する"
          record={project}
          names={{ schedules: "実施時期" }}
          toDraft={(from) => ({
            rows:
              from?.schedules.map((stored) => ({
                label: stored.label ?? "",
                printed: formatPeriod(stored.when),
                place: stored.place ?? "",
                done: stored.done ?? false,
                stored,
              })) ?? [],
          })}
          toFields={({ rows }) => {
            const errors: FieldErrors = {};
            rows.forEach(({ printed }, index) => {
              if (!printed.trim()) errors[`/schedules/${index}/when`] = `${index + 1}番目の時期を入力してください。未定のときは「未定」と入力します。`;
            });
            return { errors, fields: { schedules: rows.map((row) => scheduleOf(row, year)) } };
          }}
          update={update(project.id)}
          onClose={() => setEditing(false)}
        >
          {({ draft, set, field }) => (
            <Rows label="時期" rows={draft.rows} onChange={(rows) => set({ rows })} blank={{ label: "", printed: "", place: "", done: false }}>
              {(row, change, index) => {
                const read = scheduleOf(row, year);
                return (
                  <div className="grid gap-3 md:grid-cols-2">
                    <TextField label="内容" size="sm" hint="例：1回目、河原地区" value={row.label} onChange={(label) => change({ label })} />
                    <TextField label="場所" size="sm" value={row.place} onChange={(place) => change({ place })} />
                    <TextField
                      {...field(`/schedules/${index}/when`)}
                      label="時期（資料の表記のまま）"
                      size="sm"
                      className="md:col-span-2"
                      hint={
                        <span aria-live="polite">
                          {row.printed.trim()
                            ? `読み取った日：${formatUnderstood(read.when) || "なし（表記だけを残します）"}　${timesOf(read)}`
                            : "例：8月22日、11月11日（月）13:30～15:30、12月～2月"}
                          <WeekdayFindings printed={row.printed} year={year} />
                        </span>
                      }
                      value={row.printed}
                      onChange={(printed) => change({ printed })}
                    />
                    <Checkbox label="実施済み" checked={row.done} onChange={(done) => change({ done })} />
                  </div>
                );
              }}
            </Rows>
          )}
        </RecordDialog>
      )}
    </section>
  );
}

// ---------------------------------------------------------------------------------------------
// 広報の実施概要

interface MediaDraft {
  kind: Schemas["MediaKind"];
  medium: string;
  content: string;
  quantity: string;
  unit: string;
  perOutlet: string;
  outlets: string;
  outletNote: string;
  printed: string;
  when?: Schemas["Period"] | null;
}

const quantityOf = ({ quantity, unit, per_outlet: each }: Schemas["MediaItem"]) =>
  quantity === null || quantity === undefined ? "" : `${formatDecimal(String(quantity))}${unit ?? ""}${each ? `（1か所 ${formatDecimal(String(each))}${unit ?? ""}）` : ""}`;

export function MediaPart({ project, editable }: PartProps) {
  const [editing, setEditing] = useState(false);
  if (project.media_plan.length === 0 && !editable) return null;
  return (
    <section>
      <PartHead title="広報の実施概要" editable={editable} onEdit={() => setEditing(true)} />
      {project.media_plan.length === 0 ? (
        NONE
      ) : (
        <Table
          caption="広報の実施概要"
          captionHidden
          rows={project.media_plan.map((item, index) => ({ item, index }))}
          rowKey={({ index }) => String(index)}
          columns={[
            { key: "medium", header: "媒体", rowHeader: true, width: "11rem", cell: ({ item }) => `${item.medium}（${MEDIA_KINDS[item.kind]}）` },
            { key: "content", header: "内容・分量", cell: ({ item }) => <span className="whitespace-pre-wrap">{item.content}</span> },
            { key: "quantity", header: "数量", number: true, cell: ({ item }) => quantityOf(item) },
            {
              key: "outlets",
              header: "出稿先",
              cell: ({ item }) => (
                <>
                  {item.outlets?.join("、")}
                  {item.outlet_note && <span className="block text-sm">{item.outlet_note}</span>}
                </>
              ),
            },
            {
              key: "when",
              header: "日程",
              cell: ({ item }) =>
                item.when && (
                  <>
                    {formatPeriod(item.when)}
                    <WeekdayFindings printed={item.when.printed} year={project.fiscal_year} />
                  </>
                ),
            },
          ]}
        />
      )}
      {editing && <MediaForm project={project} onClose={() => setEditing(false)} />}
    </section>
  );
}

function MediaForm({ project, onClose }: { project: Project; onClose: () => void }) {
  const year = project.fiscal_year;
  const whole = (typed: string) => {
    const number = parseNumber(typed);
    return number !== null && /^\d+$/.test(number) ? Number(number) : null;
  };
  return (
    <RecordDialog<Project, { rows: MediaDraft[] }, Pick<ProjectFields, "media_plan">>
      wide
      title="広報の実施概要を編集"
      submitLabel="保存する"
      record={project}
      names={{ media_plan: "広報の実施概要" }}
      toDraft={(from) => ({
        rows:
          from?.media_plan.map((item) => ({
            kind: item.kind,
            medium: item.medium,
            content: item.content,
            quantity: item.quantity === null || item.quantity === undefined ? "" : String(item.quantity),
            unit: item.unit ?? "",
            perOutlet: item.per_outlet === null || item.per_outlet === undefined ? "" : String(item.per_outlet),
            outlets: item.outlets?.join("、") ?? "",
            outletNote: item.outlet_note ?? "",
            printed: item.when ? formatPeriod(item.when) : "",
            when: item.when,
          })) ?? [],
      })}
      toFields={({ rows }) => {
        const errors: FieldErrors = {};
        rows.forEach(({ medium, content, quantity, perOutlet }, index) => {
          if (!medium.trim()) errors[`/media_plan/${index}/medium`] = `${index + 1}番目の媒体を入力してください。`;
          if (!content.trim()) errors[`/media_plan/${index}/content`] = `${index + 1}番目の内容・分量を入力してください。`;
          if (quantity.trim() && whole(quantity) === null) errors[`/media_plan/${index}/quantity`] = "数量は整数で入力してください。";
          if (perOutlet.trim() && whole(perOutlet) === null) errors[`/media_plan/${index}/per_outlet`] = "1か所あたりの数量は整数で入力してください。";
        });
        const items = rows.map((row) => ({
          kind: row.kind,
          medium: row.medium.trim(),
          content: row.content.trim(),
          ...(whole(row.quantity) !== null && { quantity: whole(row.quantity) }),
          ...(filled(row.unit) && { unit: filled(row.unit) }),
          ...(whole(row.perOutlet) !== null && { per_outlet: whole(row.perOutlet) }),
          outlets: row.outlets.split(/[、\n]/).flatMap((outlet) => filled(outlet) ?? []),
          ...(filled(row.outletNote) && { outlet_note: filled(row.outletNote) }),
          ...(filled(row.printed) && { when: row.when && formatPeriod(row.when) === row.printed ? row.when : understandPeriod(row.printed.trim(), year).when }),
        }));
        return { errors, fields: { media_plan: items } };
      }}
      update={update(project.id)}
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <Rows
          label="媒体"
          rows={draft.rows}
          onChange={(rows) => set({ rows })}
          blank={{ kind: "other", medium: "", content: "", quantity: "", unit: "", perOutlet: "", outlets: "", outletNote: "", printed: "" }}
        >
          {(row, change, index) => (
            <div className="grid gap-3 md:grid-cols-2">
              <TextField {...field(`/media_plan/${index}/medium`)} label="媒体" size="sm" required hint="例：テレビ、新聞折込" value={row.medium} onChange={(medium) => change({ medium })} />
              <Select label="種類" size="sm" value={row.kind} onChange={(kind) => change({ kind: kind as MediaDraft["kind"] })} options={optionsOf(MEDIA_KINDS)} />
              <TextArea {...field(`/media_plan/${index}/content`)} label="内容・分量" required rows={2} className="md:col-span-2" value={row.content} onChange={(content) => change({ content })} />
              <NumberField {...field(`/media_plan/${index}/quantity`)} label="数量" size="sm" value={row.quantity} onChange={(quantity) => change({ quantity })} />
              <TextField label="単位" size="sm" value={row.unit} onChange={(unit) => change({ unit })} />
              <NumberField {...field(`/media_plan/${index}/per_outlet`)} label="1か所あたりの数量" size="sm" value={row.perOutlet} onChange={(perOutlet) => change({ perOutlet })} />
              <TextField label="出稿先" size="sm" hint="「、」で区切ります。" value={row.outlets} onChange={(outlets) => change({ outlets })} />
              <TextField label="出稿先についての記載" size="sm" value={row.outletNote} onChange={(outletNote) => change({ outletNote })} />
              <TextField
                label="日程（資料の表記のまま）"
                size="sm"
                hint={
                  row.printed.trim() && (
                    <>
                      読み取った日：{formatUnderstood(understandPeriod(row.printed, year).when) || "なし（表記だけを残します）"}
                      <WeekdayFindings printed={row.printed} year={year} />
                    </>
                  )
                }
                value={row.printed}
                onChange={(printed) => change({ printed })}
              />
            </div>
          )}
        </Rows>
      )}
    </RecordDialog>
  );
}
