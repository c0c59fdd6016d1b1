import { useState, type ReactNode } from "react";
import {
  Button,
  Checkbox,
  ConfirmDialog,
  ConflictDialog,
  DataGrid,
  DateField,
  Dialog,
  EditableText,
  EmptyState,
  ErrorState,
  ErrorSummary,
  FiscalYearSwitch,
  GridCell,
  HistoryTimeline,
  LoadMore,
  Loading,
  NoPermissionState,
  Notice,
  NumberField,
  PageHeader,
  PrivacyHint,
  RadioGroup,
  Select,
  StatusBadge,
  Table,
  Tabs,
  TextArea,
  TextField,
  type TextConflict,
} from "../../ui";
import { LineChart } from "../../ui/LineChart";

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mb-12 grid gap-4">
      <h2 className="border-b-2 border-solid-gray-900 pb-1">{title}</h2>
      {children}
    </section>
  );
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let version = 1;
async function saveLocally() {
  await wait(600);
  version += 1;
  return { etag: `"v${version}"` };
}
async function fail(): Promise<{ etag: string }> {
  await wait(400);
  throw new Error("サーバーに接続できませんでした。");
}

const CONFLICT: TextConflict = {
  theirs: "地区相談窓口を7か所に設置する\n民生委員との連絡会を年4回開く",
  etag: '"v9"',
  changedBy: "鈴木 一郎",
  changedAt: "2026-11-20T01:05:00Z",
};
class Conflicted extends Error {}
async function refuse(): Promise<{ etag: string }> {
  await wait(400);
  throw new Conflicted();
}

const noConflict = () => null;
const conflictOf = (error: unknown) => (error instanceof Conflicted ? CONFLICT : null);
const OPTIONS = [
  { value: "number", label: "数値" },
  { value: "ratio", label: "割合" },
  { value: "text", label: "文章", hint: "数値で表せない成果に使います" },
];

function Fields() {
  const [text, setText] = useState("高草地区つながりミーティング");
  const [date, setDate] = useState("R6.12.10（月）");
  const [shortDate, setShortDate] = useState("2/16（月）");
  const [amount, setAmount] = useState("１５４万円");
  const [kind, setKind] = useState("ratio");
  const [checked, setChecked] = useState(true);
  return (
    <div className="grid gap-6 md:grid-cols-2">
      <TextField label="事業名" required value={text} onChange={setText} hint="正式な名称を入力してください。" />
      <TextField id="gallery-contact" label="連絡先" required value="" onChange={() => undefined} error="連絡先の電話番号を入力してください。" />
      <TextField label="検索" size="sm" type="search" value="" onChange={() => undefined} />
      <TextField label="団体コード" value="312011" onChange={() => undefined} readOnlyReason="団体コードは総務省の一覧から登録されます。" />
      <DateField label="開催日" required value={date} onChange={setDate} />
      <DateField label="実施日" required={false} fiscalYear={2025} value={shortDate} onChange={setShortDate} />
      <NumberField label="予算額" required={false} suffix="円" value={amount} onChange={setAmount} />
      <Select label="値の種類" required value={kind} onChange={setKind} options={OPTIONS} />
      <Select label="値の種類（確定後）" value={kind} onChange={setKind} options={OPTIONS} readOnlyReason="値が登録されているため変更できません。" />
      <Select label="種別" size="sm" value={kind} onChange={setKind} options={OPTIONS} error="種別を選択してください。" />
      <RadioGroup label="値の種類" required value={kind} onChange={setKind} options={OPTIONS} hint="登録後は変更できません。" />
      <div>
        <Checkbox label="速報値として登録する" checked={checked} onChange={setChecked} hint="確定値が出たら改めて登録してください。" />
        <Checkbox label="内容を確認しました" checked={false} onChange={() => undefined} error="内容を確認し、チェックを入れてください。" />
      </div>
      <TextArea className="md:col-span-2" label="今年度のゴール" required={false} value={text} onChange={setText} hint={<PrivacyHint />} />
    </div>
  );
}

const MEMBERS = [
  { id: "1", name: "鳥取市総務部人権政策局 中央人権福祉センター", kind: "行政", joined: "令和4年7月29日（金）", count: "1,540" },
  { id: "2", name: "社会福祉法人鳥取市社会福祉協議会", kind: "社会福祉協議会", joined: "令和4年7月29日（金）", count: "23" },
  { id: "3", name: "NPO法人（調整中）", kind: "区分", joined: "－", count: "△3" },
];

function Sheet() {
  const [cells, setCells] = useState<Record<string, string>>({ "0:2": "地区相談窓口を7か所に設置", "0:3": "5か所に設置した", "1:2": "支え愛マップを作成" });
  const goals = ["(1) 身近な地域で相談できる", "(2) 支え合いの場をつくる"];
  return (
    <DataGrid caption="重点取組1　相談体制の充実" maxHeight="24rem">
      <thead>
        <tr>
          <th scope="col" className="w-56">
            目標
          </th>
          <th scope="col" className="w-32">
            主体
          </th>
          <th scope="col">R6 予定される取り組み</th>
          <th scope="col">R6 取組実績</th>
        </tr>
      </thead>
      <tbody>
        {goals.map((goal, row) => (
          <tr key={goal}>
            <GridCell row={row} col={0} rowHeader>
              {goal}
            </GridCell>
            {row === 0 && (
              <GridCell row={0} col={1} rowSpan={2}>
                南部町
              </GridCell>
            )}
            {[2, 3].map((col) => {
              const key = `${row}:${col}`;
              const label = `${goal}の${col === 2 ? "予定" : "実績"}`;
              return (
                <GridCell key={key} row={row} col={col} editLabel={label}>
                  {({ editing, onEditingChange }) => (
                    <EditableText
                      label={label}
                      labelHidden
                      emptyLabel="－"
                      value={cells[key] ?? ""}
                      etag={'"v1"'}
                      draftKey={`gallery/${key}`}
                      editing={editing}
                      onEditingChange={onEditingChange}
                      toConflict={noConflict}
                      onSave={async (text) => {
                        const answer = await saveLocally();
                        setCells((now) => ({ ...now, [key]: text }));
                        return answer;
                      }}
                    />
                  )}
                </GridCell>
              );
            })}
          </tr>
        ))}
      </tbody>
    </DataGrid>
  );
}

function Dialogs() {
  const [open, setOpen] = useState<"plain" | "confirm" | "conflict">();
  const close = () => setOpen(undefined);
  return (
    <div className="flex flex-wrap gap-3">
      <Button variant="secondary" onClick={() => setOpen("plain")}>
        ダイアログ
      </Button>
      <Button variant="secondary" onClick={() => setOpen("confirm")}>
        確認ダイアログ
      </Button>
      <Button variant="secondary" onClick={() => setOpen("conflict")}>
        更新の重なり
      </Button>
      <Dialog open={open === "plain"} title="目標値の変更" onClose={close} actions={<Button onClick={close}>変更する</Button>}>
        <TextArea label="変更の理由" required value="" onChange={() => undefined} />
      </Dialog>
      <ConfirmDialog open={open === "confirm"} title="メンバーの退会" confirmLabel="退会として登録する" variant="danger" onConfirm={close} onClose={close}>
        <p>社会福祉法人鳥取市社会福祉協議会を令和7年3月31日付けで退会とします。履歴は残ります。</p>
      </ConfirmDialog>
      {open === "conflict" && (
        <ConflictDialog
          open
          label="予定される取り組み"
          mine={"地区相談窓口を7か所に設置する\n広報紙で周知する"}
          conflict={CONFLICT}
          onResolve={close}
          onClose={close}
        />
      )}
    </div>
  );
}

export default function GalleryPage() {
  const [tab, setTab] = useState("members");
  return (
    <main className="mx-auto max-w-[100rem] px-6 py-6">
      <PageHeader
        title="部品の見本"
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "部品の見本" }]}
        meta={<StatusBadge status="draft" />}
        lead="画面を作る人のための一覧です。"
        actions={<Button size="sm">登録する</Button>}
        printable
      />
      <Section title="ボタン">
        <div className="flex flex-wrap items-center gap-3">
          <Button>保存する</Button>
          <Button variant="secondary">下書きにする</Button>
          <Button variant="text">一覧へ戻る</Button>
          <Button variant="danger">削除する</Button>
          <Button busy>保存する</Button>
          <Button disabledReason="確定した値は変更できません">変更する</Button>
          <Button size="sm">保存する</Button>
          <Button size="sm" variant="secondary">
            下書きにする
          </Button>
        </div>
      </Section>
      <Section title="入力欄">
        <ErrorSummary errors={[{ fieldId: "gallery-contact", message: "連絡先の電話番号を入力してください。" }]} />
        <Fields />
      </Section>
      <Section title="年度の切り替え">
        <FiscalYearSwitch />
      </Section>
      <Section title="その場で編集する文章">
        <div className="grid gap-6 md:grid-cols-2">
          <EditableText label="今年度のゴール" value="住民が気軽に相談できる窓口を増やす。" etag={'"v1"'} draftKey="gallery/goal" onSave={saveLocally} toConflict={noConflict} />
          <EditableText label="留意点（未入力）" value="" etag={'"v1"'} draftKey="gallery/empty" onSave={saveLocally} toConflict={noConflict} />
          <EditableText label="編集中の文章" value="入力の途中です。" etag={'"v1"'} draftKey="gallery/editing" onSave={saveLocally} toConflict={noConflict} editing />
          <EditableText label="保存に失敗する文章" value="保存すると失敗します。" etag={'"v1"'} draftKey="gallery/fail" onSave={fail} toConflict={noConflict} />
          <EditableText label="更新が重なる文章" value="保存すると重なります。" etag={'"v1"'} draftKey="gallery/conflict" onSave={refuse} toConflict={conflictOf} />
          <EditableText label="確定した文章" value="確定しています。" etag={'"v1"'} draftKey="gallery/fixed" onSave={saveLocally} toConflict={noConflict} readOnlyReason="確定済み" />
        </div>
      </Section>
      <Section title="表">
        <Table
          caption="参画メンバー（令和6年4月1日現在）"
          rows={MEMBERS}
          rowKey={(row) => row.id}
          columns={[
            { key: "name", header: "団体名", rowHeader: true, cell: (row) => row.name },
            { key: "kind", header: "区分", cell: (row) => row.kind },
            { key: "joined", header: "参画日", cell: (row) => row.joined },
            { key: "count", header: "人数（人）", number: true, cell: (row) => row.count },
          ]}
        />
        <Table
          dense
          maxHeight="8rem"
          caption="密な表（見出しが残る）"
          rows={[...MEMBERS, ...MEMBERS.map((row) => ({ ...row, id: `${row.id}b` }))]}
          rowKey={(row) => row.id}
          columns={[
            { key: "name", header: "団体名", rowHeader: true, cell: (row) => row.name },
            { key: "kind", header: "区分", cell: (row) => row.kind },
          ]}
        />
        <LoadMore shown={50} hasMore onMore={() => undefined} />
        <LoadMore shown={72} hasMore={false} onMore={() => undefined} />
      </Section>
      <Section title="シート">
        <Sheet />
      </Section>
      <Section title="グラフ">
        <LineChart
          title="孤独・孤立の認知度"
          unit="%"
          periods={["R4", "R5", "R6", "R7", "R8"]}
          series={[
            {
              name: "認知度",
              points: [
                { period: "R4", value: "21.0" },
                { period: "R5", value: "23.3" },
                { period: "R6", value: "41", breakReason: "別の調査の値" },
                { period: "R7", value: null, missing: "未実施" },
                { period: "R8", value: "46.5", provisional: true },
              ],
            },
          ]}
          targets={[
            { period: "R6", value: "35" },
            { period: "R8", value: "55" },
          ]}
          baseline={{ period: "R5", value: "23.3", source: "市民アンケート" }}
        />
        <LineChart
          title="地区別のサロン数"
          unit="か所"
          periods={["R4", "R5", "R6", "R7"]}
          series={["東部地区", "西部地区", "南部地区", "北部地区"].map((name, index) => ({
            name,
            points: ["R4", "R5", "R6", "R7"].map((period, step) => ({ period, value: String(8 + index * 5 + step * (3 - index)) })),
          }))}
        />
      </Section>
      <Section title="お知らせと状態">
        <Notice title="提出の期限は令和7年4月10日（木）です">提出前に、未入力の項目を確認してください。</Notice>
        <Notice tone="success" title="提出しました">受付番号：R6-0012</Notice>
        <Notice tone="warning" title="曜日が日付と合いません">令和6年12月10日は火曜日です。原本を確認してください。</Notice>
        <ErrorState error={{ message: "ただいまサーバーを利用できません。1分ほど待ってから、もう一度お試しください。", status: 503, requestId: "0193a2f1-7c1e" }} onRetry={() => undefined} />
        <NoPermissionState what="この計画" />
        <EmptyState title="この年度の事業はまだありません" actions={<Button>事業を登録する</Button>}>
          昨年度の事業から写すこともできます。
        </EmptyState>
        <Loading />
        <div className="flex flex-wrap gap-3">
          {(["draft", "submitted", "returned", "confirmed", "published"] as const).map((status) => (
            <StatusBadge key={status} status={status} />
          ))}
        </div>
      </Section>
      <Section title="ダイアログ">
        <Dialogs />
      </Section>
      <Section title="タブ">
        <Tabs
          label="プラットフォームの内容"
          selected={tab}
          onSelect={setTab}
          tabs={[
            { id: "members", label: "メンバー", content: <p>メンバーの一覧</p> },
            { id: "projects", label: "事業", content: <p>事業の一覧</p> },
            { id: "breakthroughs", label: "ブレイクスルー要因", content: <p>課題・取り組み・変化</p> },
          ]}
        />
      </Section>
      <Section title="変更履歴">
        <HistoryTimeline
          entries={[
            {
              id: "2",
              at: "2026-11-20T01:05:00Z",
              by: "山田 太郎",
              organization: "南部町 福祉課",
              action: "変更",
              changes: [{ field: "目標値（令和8年度）", from: "50%", to: "55%" }],
              reason: "計画の中間見直しによる",
            },
            { id: "1", at: "2026-04-02T06:30:00Z", by: "佐藤 花子", action: "作成", changes: [{ field: "目標値（令和8年度）", from: null, to: "50%" }] },
          ]}
        />
      </Section>
    </main>
  );
}
