import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { $api, client, may, usePages } from "../../api";
import { formatDate, todayInJapan } from "../../lib/date";
import { Button, buttonClass, EmptyState, HistoryLink, LoadMore, NoPermissionState, Notice, QueryView, Select, Table, TextField, useSearchParam } from "../../ui";
import { AdminHeader, useAdministration } from "../admin-users/AdminHeader";
import { ORGANIZATION_KINDS, type OrganizationKind } from "../admin-users/words";
import { OrganizationForm, type Organization } from "./OrganizationForm";

export default function AdminOrganizationsPage() {
  const { identity, everywhere, administers } = useAdministration();
  const [search] = useSearchParam("q");
  const [kind, setKind] = useSearchParam("kind");
  const [form, setForm] = useState<{ organization?: Organization }>();
  const [founded, setFounded] = useState<string>();
  const query = { search, kind: kind as OrganizationKind | undefined, limit: 50 };
  const organizations = usePages(
    ["organizations", query],
    (after) => client.GET("/api/v1/organizations", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  if (!administers) {
    return (
      <>
        <AdminHeader title="団体" lead="団体の名称や所在地を管理します。" />
        <NoPermissionState what="団体の管理" />
      </>
    );
  }
  const creates = may(identity, "organizations", "create");
  const editable = (organization: Organization) => may(identity, "organizations", "update", organization);
  return (
    <>
      <AdminHeader
        title="団体"
        lead={everywhere ? "利用者を持つ団体を登録し、その最初の管理者を作ります。" : "メンバーや発注先として記録に出てくる団体を登録します。"}
        actions={creates && <Button onClick={() => setForm({})}>団体を登録</Button>}
      />
      {founded && (
        <div className="mb-6">
          <Notice
            tone="success"
            live
            title="団体を登録しました"
            actions={
              everywhere && (
                <Link className={buttonClass("primary", "sm")} to="/admin/users" search={{ org: founded }}>
                  最初の管理者を登録する
                </Link>
              )
            }
          >
            {everywhere && "続けて、この団体の最初の管理者を登録してください。その人がほかの利用者を登録できます。"}
          </Notice>
        </div>
      )}
      <div className="mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <Search key={search} />
        <Select
          label="種類"
          size="sm"
          className="w-64"
          value={kind ?? ""}
          onChange={(value) => setKind(value || undefined)}
          options={[{ value: "", label: "すべて" }, ...Object.entries(ORGANIZATION_KINDS).map(([value, label]) => ({ value, label }))]}
        />
      </div>
      <QueryView query={organizations} what="団体の一覧">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title={search || kind ? "条件に合う団体はありません" : "団体がまだありません"}>
              {search || kind ? "名前の一部を短く入力するか、種類を「すべて」にしてください。" : "「団体を登録」から登録してください。"}
            </EmptyState>
          ) : (
            <>
              <Table
                caption="団体の一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "name",
                    header: "名称",
                    rowHeader: true,
                    width: "16rem",
                    cell: (organization) => (
                      <>
                        {organization.name}
                        {organization.kana && <span className="block text-sm font-normal">{organization.kana}</span>}
                        {organization.parent_id && <Parent id={organization.parent_id} />}
                      </>
                    ),
                  },
                  { key: "kind", header: "種類", width: "11rem", cell: (organization) => ORGANIZATION_KINDS[organization.kind] },
                  { key: "code", header: "団体コード", width: "7rem", cell: (organization) => organization.municipality_code },
                  { key: "number", header: "法人番号", width: "10rem", cell: (organization) => organization.corporate_number },
                  { key: "validity", header: "有効期間", width: "11rem", cell: (organization) => <Validity organization={organization} /> },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "12rem",
                    cell: (organization) => (
                      <div className="-my-1 flex flex-wrap gap-2">
                        {editable(organization) ? (
                          <Button variant="secondary" size="sm" aria-label={`${organization.name}を変更`} onClick={() => setForm({ organization })}>
                            変更
                          </Button>
                        ) : (
                          <span className="text-sm text-solid-gray-700">閲覧のみ</span>
                        )}
                        {everywhere && (
                          <Link className={buttonClass("secondary", "sm")} to="/admin/users" search={{ org: organization.id }} aria-label={`${organization.name}の利用者`}>
                            利用者
                          </Link>
                        )}
                        {editable(organization) && (
                          <HistoryLink entity="organizations" id={organization.id} name={`${organization.name}の変更`}>
                          履歴
                        </HistoryLink>
                        )}
                      </div>
                    ),
                  },
                ]}
              />
              <LoadMore {...organizations.more} />
            </>
          )
        }
      </QueryView>
      {form && (
        <OrganizationForm
          organization={form.organization}
          founding={everywhere}
          onClose={() => setForm(undefined)}
          onSaved={(id) => {
            setFounded(form.organization ? undefined : id);
            setForm(undefined);
          }}
        />
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
      <TextField label={<>団体を探す<span className="ms-2 text-sm font-normal text-solid-gray-700">名称、ふりがなの一部</span></>} type="search" size="sm" className="w-80" value={typed} onChange={setTyped} />
      <Button type="submit" variant="secondary" size="sm">
        検索
      </Button>
    </form>
  );
}

function Parent({ id }: { id: string }) {
  const { data } = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: id } } });
  return data && <span className="block text-sm font-normal">{data.name}に属する</span>;
}

function Validity({ organization: { valid_from: from, valid_to: to } }: { organization: Organization }) {
  const short = (day: string) => formatDate(day, { weekday: false });
  if (!from && !to) return null;
  return (
    <>
      {from && `${short(from)}から`}
      {to && ` ${short(to)}まで`}
      {to && to < todayInJapan() && <span className="block text-sm">－ 終了した団体</span>}
    </>
  );
}
