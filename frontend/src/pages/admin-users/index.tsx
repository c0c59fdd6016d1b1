import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api, client, etagOf, findOrganizations, isApiError, newerRecord, useEveryPage, usePages, useWrite } from "../../api";
import { announce, Button, Combobox, ConfirmDialog, EmptyState, HistoryLink, LoadMore, NoPermissionState, Notice, QueryView, Table, useSearchParam } from "../../ui";
import { AdminHeader, useAdministration } from "./AdminHeader";
import { isInForce, RolesForm, roleWord, validity, type UserRole } from "./RolesForm";
import { EditUserForm, NewUserForm, PasswordForm, type Organisation, type User } from "./UserForm";
import type { OrganizationKind } from "./words";

type Open = { form: "new" } | { form: "edit" | "password" | "roles" | "active"; user: User };

export default function AdminUsersPage() {
  const { identity, everywhere, administers } = useAdministration();
  const [chosen, setChosen] = useSearchParam("org");
  const id = (everywhere && chosen) || identity?.organization_id || "";
  const organization = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: id } } }, { enabled: id !== "" });
  const [open, setOpen] = useState<Open>();

  // Whoever examines who may do what reads the accounts; only an administrator changes them.
  const reads = administers || identity?.role === "auditor";
  if (!reads) {
    return (
      <>
        <AdminHeader title="利用者と役割" lead="団体の利用者を管理します。" />
        <NoPermissionState what="利用者と役割" />
      </>
    );
  }
  const data = organization.data;
  const target: Organisation | undefined = data && { id: data.id, name: data.name, kind: data.kind as OrganizationKind, foreign: data.id !== identity?.organization_id };
  return (
    <>
      <AdminHeader
        title="利用者と役割"
        lead={administers ? `${data?.name ?? ""}の利用者を登録し、役割と期間を決めます。` : `${data?.name ?? ""}の利用者と役割を確認します。`}
        actions={administers && target && <Button onClick={() => setOpen({ form: "new" })}>利用者を登録</Button>}
      />
      {everywhere && (
        <div className="mb-6 max-w-2xl">
          <Combobox
            key={data?.id}
            label="団体"
            hint="名前の一部を入力して、利用者を管理する団体を選びます"
            value={data ? { value: data.id, label: data.name } : null}
            onChange={(option) => option && setChosen(option.value)}
            search={findOrganizations}
          />
        </div>
      )}
      <QueryView query={organization} what="団体">
        {() => target && <Users organization={target} editable={administers} open={open} onOpen={setOpen} />}
      </QueryView>
    </>
  );
}

function Users({ organization, editable, open, onOpen }: { organization: Organisation; editable: boolean; open?: Open; onOpen: (open: Open | undefined) => void }) {
  const query = { owner_org_id: organization.id, limit: 50 };
  const users = usePages(["users", query], (after) => client.GET("/api/v1/users", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }));
  const roles = useEveryPage(["user-roles", organization.id], (after) =>
    client.GET("/api/v1/user-roles", { params: { query: { owner_org_id: organization.id, limit: 200, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const rolesOf = (user: User) => roles.data?.filter(({ user_id: id }) => id === user.id) ?? [];
  const close = () => onOpen(undefined);
  return (
    <>
      <QueryView query={users} what="利用者">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="利用者がまだいません" actions={<Button onClick={() => onOpen({ form: "new" })}>最初の利用者を登録</Button>}>
              最初に管理者を登録すると、その人がほかの利用者を登録できます。
            </EmptyState>
          ) : (
            <>
              <Table
                caption={`${organization.name}の利用者`}
                rows={rows}
                rowKey={({ id }) => id}
                dense
                columns={[
                  {
                    key: "name",
                    header: "氏名",
                    rowHeader: true,
                    width: "11rem",
                    cell: (user) => (
                      <>
                        {user.name}
                        {user.kana && <span className="block text-sm font-normal">{user.kana}</span>}
                      </>
                    ),
                  },
                  {
                    key: "department",
                    header: "所属・役職",
                    width: "10rem",
                    cell: (user) => [user.department, user.title].filter(Boolean).join("　"),
                  },
                  { key: "email", header: "メールアドレス", width: "16rem", cell: (user) => user.email },
                  { key: "roles", header: "役割", width: "12rem", cell: (user) => <Roles roles={rolesOf(user)} /> },
                  { key: "active", header: "状態", width: "6rem", cell: (user) => (user.active ? "● 利用中" : "✕ 閉鎖") },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "20rem",
                    cell: (user) => (
                      <div className="-my-2 flex flex-wrap">
                        {editable && (
                          <>
                            <Button variant="text" size="sm" className="px-2!" aria-label={`${user.name}さんを変更`} onClick={() => onOpen({ form: "edit", user })}>
                              変更
                            </Button>
                            <Button variant="text" size="sm" className="px-2!" aria-label={`${user.name}さんの役割`} onClick={() => onOpen({ form: "roles", user })}>
                              役割
                            </Button>
                            <Button variant="text" size="sm" className="px-2!" aria-label={`${user.name}さんのパスワードを設定`} onClick={() => onOpen({ form: "password", user })}>
                              パスワード
                            </Button>
                            <Button
                              variant="text"
                              size="sm"
                              className="px-2!"
                              aria-label={`${user.name}さんのアカウントを${user.active ? "閉鎖" : "再開"}`}
                              onClick={() => onOpen({ form: "active", user })}
                            >
                              {user.active ? "閉鎖" : "再開"}
                            </Button>
                          </>
                        )}
                        <HistoryLink entity="users" id={user.id} name={`${user.name}さんの変更`}>
                          履歴
                        </HistoryLink>
                      </div>
                    ),
                  },
                ]}
              />
              <LoadMore {...users.more} />
            </>
          )
        }
      </QueryView>
      {open?.form === "new" && <NewUserForm organization={organization} first={users.data?.length === 0} onClose={close} />}
      {open?.form === "edit" && <EditUserForm user={open.user} onClose={close} />}
      {open?.form === "password" && <PasswordForm user={open.user} onClose={close} />}
      {open?.form === "roles" && <RolesForm user={open.user} roles={rolesOf(open.user)} organization={organization} onClose={close} />}
      {open?.form === "active" && <ActiveDialog user={open.user} onClose={close} />}
    </>
  );
}

function Roles({ roles }: { roles: readonly UserRole[] }) {
  const now = roles.filter((role) => isInForce(role));
  const shown = now.length > 0 ? now : roles.slice(-1);
  if (shown.length === 0) return <span className="text-warning-orange-2">▲ 役割がありません</span>;
  return shown.map((role) => (
    <span key={role.id} className="block">
      {roleWord(role.role)}
      {now.length === 0 && "（今は有効ではありません）"}
      <span className="block text-sm text-solid-gray-700">{validity(role)}</span>
    </span>
  ));
}

/** Closing an account ends its sessions at once; the name stays on everything the person has recorded. */
function ActiveDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const queries = useQueryClient();
  const { identity } = useAdministration();
  const { busy, error, run } = useWrite();
  const change = async () => {
    const done = await run({ active: !user.active, version: user.version }, (headers) =>
      client.PATCH("/api/v1/users/{user_id}", {
        params: { path: { user_id: user.id }, header: { ...headers, "If-Match": etagOf(user.version) } },
        body: { active: !user.active },
      }),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce(user.active ? "アカウントを閉鎖しました" : "アカウントを再開しました");
    onClose();
  };
  return (
    <ConfirmDialog
      open
      title={`${user.name}さんのアカウントを${user.active ? "閉鎖" : "再開"}しますか`}
      confirmLabel={user.active ? "閉鎖する" : "再開する"}
      variant={user.active ? "danger" : "primary"}
      busy={busy}
      onConfirm={() => void change()}
      onClose={onClose}
    >
      {user.active ? (
        <p>閉鎖すると、すぐにサインアウトされ、サインインできなくなります。これまでの記録と名前は残ります。あとで再開できます。</p>
      ) : (
        <p>再開すると、有効な役割があれば、もう一度サインインできます。</p>
      )}
      {user.active && user.id === identity?.id && (
        <Notice tone="warning" title="自分自身のアカウントです">
          閉鎖すると、この画面もすぐに使えなくなります。
        </Notice>
      )}
      {isApiError(error) && (
        <Notice tone="error" live title="変更できませんでした">
          {newerRecord(error) ? "ほかの人が先に更新しました。この画面を閉じて、最新の内容を確かめてください。" : error.message}
        </Notice>
      )}
    </ConfirmDialog>
  );
}
