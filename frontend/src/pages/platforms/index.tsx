import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { client, may, useIdentity, usePages, type components } from "../../api";
import { Button, EmptyState, LoadMore, PageHeader, QueryView, Select, StatusBadge, Table, TextField, useFiscalYear, useSearchParam } from "../../ui";
import { optionsOf } from "../kpi/words";
import { MunicipalityNames } from "../platform/Municipalities";
import { PlatformForm } from "../platform/PlatformForm";
import { kindOf, PLATFORM_KINDS, STATUS_WORDS, type Status } from "../platform/words";

type Kind = components["schemas"]["PlatformKind"];

const ALL = { value: "", label: "すべて" };

export default function PlatformsPage() {
  const identity = useIdentity();
  const navigate = useNavigate();
  const year = useFiscalYear();
  const [search] = useSearchParam("q");
  const [kind, setKind] = useSearchParam("kind");
  const [status, setStatus] = useSearchParam("status");
  const [creating, setCreating] = useState(false);
  const creator = may(identity, "platforms", "create");

  const query = { search, kind: kind as Kind | undefined, status: status as Status | undefined, limit: 50 };
  const platforms = usePages(["platforms", query], (after) =>
    client.GET("/api/v1/platforms", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const filtered = Boolean(search || kind || status);
  const create = creator && <Button onClick={() => setCreating(true)}>プラットフォームを作成</Button>;

  return (
    <>
      <PageHeader
        title="プラットフォーム"
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "プラットフォーム" }]}
        lead="官民連携プラットフォーム、地域協議会、協議体など、連携の場の一覧です。"
        printable
        past
        actions={create}
      />
      <div className="no-print mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <Search key={search} />
        <Select label="種別" size="sm" className="w-64" value={kind ?? ""} onChange={(value) => setKind(value || undefined)} options={[ALL, ...optionsOf(PLATFORM_KINDS)]} />
        <Select label="状態" size="sm" className="w-36" value={status ?? ""} onChange={(value) => setStatus(value || undefined)} options={[ALL, ...optionsOf(STATUS_WORDS)]} />
      </div>
      <QueryView query={platforms} what="プラットフォームの一覧">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState
              title={filtered ? "条件に合うプラットフォームはありません" : "プラットフォームがまだありません"}
              actions={
                filtered ? (
                  <Button variant="secondary" onClick={() => void navigate({ to: ".", search: { fy: year } })}>
                    検索条件を消す
                  </Button>
                ) : (
                  create
                )
              }
            >
              {filtered
                ? "検索する言葉を短くするか、条件を外してください。"
                : creator
                  ? "名称と種別を登録すると、参画メンバー、事業、KPIを記録できます。"
                  : "所属する組織が参画するか、公表されると、ここに表示されます。"}
            </EmptyState>
          ) : (
            <>
              <Table
                caption="プラットフォームの一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "name",
                    header: "名称",
                    rowHeader: true,
                    width: "22rem",
                    cell: ({ id, name }) => (
                      <Link className="link" to="/platforms/$platformId" params={{ platformId: id }}>
                        {name}
                      </Link>
                    ),
                  },
                  { key: "kind", header: "種別", width: "13rem", cell: kindOf },
                  {
                    key: "area",
                    header: "区域",
                    cell: ({ area_name: area, municipality_codes: codes }) => (
                      <>
                        {area && <span className="block">{area}</span>}
                        {codes.length > 0 && (
                          <span className="block text-sm">
                            <MunicipalityNames codes={codes} />
                          </span>
                        )}
                      </>
                    ),
                  },
                  { key: "department", header: "担当部局", width: "14rem", cell: ({ lead_department: department }) => department },
                  { key: "status", header: "状態", width: "7rem", cell: ({ status: now }) => <StatusBadge status={now} /> },
                ]}
              />
              <LoadMore {...platforms.more} />
            </>
          )
        }
      </QueryView>
      {creating && (
        <PlatformForm onClose={() => setCreating(false)} onCreated={(platformId) => void navigate({ to: "/platforms/$platformId", params: { platformId } })} />
      )}
    </>
  );
}

function Search() {
  const [search, setSearch] = useSearchParam("q");
  const [typed, setTyped] = useState(search ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSearch(typed.trim() || undefined);
  };
  return (
    <form role="search" className="flex items-end gap-2" onSubmit={submit}>
      <TextField label={<>プラットフォームを探す<span className="ms-2 text-sm font-normal text-solid-gray-700">名称、ふりがな、区域の一部</span></>} type="search" size="sm" className="w-96" value={typed} onChange={setTyped} />
      <Button type="submit" variant="secondary" size="sm">
        検索
      </Button>
    </form>
  );
}
