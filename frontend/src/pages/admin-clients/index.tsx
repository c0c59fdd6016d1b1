import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client, may, useEveryPage, useIdentity, usePages } from "../../api";
import { formatInstant } from "../../lib/date";
import { Button, buttonClass, EmptyState, LoadMore, NoPermissionState, Notice, QueryView, Table } from "../../ui";
import { AdminHeader } from "../admin-users/AdminHeader";
import { Credentials, Ending, SecretDialog } from "./Credentials";
import { SystemForm } from "./SystemForm";
import { scopeWord, soonEnding, type System } from "./words";

export default function AdminClientsPage() {
  const identity = useIdentity();
  const allowed = may(identity, "clients", "read") && may(identity, "clients", "create");
  return allowed ? (
    <Systems />
  ) : (
    <>
      <AdminHeader title="連携システム" lead="つなぎと自動でやり取りするシステムを管理します。" />
      <NoPermissionState what="連携システム" />
    </>
  );
}

function Systems() {
  const [form, setForm] = useState<{ system?: System }>();
  const [asking, setAsking] = useState<System>();
  const [shown, setShown] = useState<string>();
  const systems = usePages(["clients"], (after) => client.GET("/api/v1/clients", { params: { query: { limit: 50, after } } }).then(({ data }) => data ?? { items: [] }));
  const secrets = useEveryPage(["client-secrets"], (after) => client.GET("/api/v1/client-secrets", { params: { query: { limit: 200, after } } }).then(({ data }) => data ?? { items: [] }));
  const known = secrets.data ?? [];
  return (
    <>
      <AdminHeader
        title="連携システム"
        lead="団体の業務システムが、夜間などに自動で値をやり取りするための登録です。"
        actions={<Button onClick={() => setForm({})}>システムを登録</Button>}
      />
      <QueryView query={systems} what="連携システム">
        {(rows) => {
          const ending = soonEnding(rows, known);
          const detail = rows.find(({ id }) => id === shown);
          return rows.length === 0 ? (
            <EmptyState title="連携システムはまだありません" actions={<Button onClick={() => setForm({})}>システムを登録</Button>}>
              登録してシークレットを発行すると、そのシステムがAPIにサインインできます。
            </EmptyState>
          ) : (
            <>
              {ending.length > 0 && (
                <div className="mb-4">
                  <Notice tone="warning" title="有効期限が近いか、切れています">
                    <p>シークレットは「認証情報」で新しく発行し、システムの設定を切り替えてから、古いものを無効にしてください。システムの期限は「変更」で延ばせます。</p>
                    <ul className="ms-6 list-disc">
                      {ending.map(({ system, what, end, text }) => (
                        <li key={`${system.id}${what}${end}`}>
                          {system.name}：{what} {formatInstant(end)}（{text}）
                        </li>
                      ))}
                    </ul>
                  </Notice>
                </div>
              )}
              <Table
                caption="連携システムの一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  { key: "name", header: "システムの名前", rowHeader: true, width: "12rem", cell: (system) => system.name },
                  {
                    key: "active",
                    header: "状態",
                    width: "7rem",
                    cell: (system) => (!system.active ? "✕ 停止" : system.expires_at && new Date(system.expires_at) < new Date() ? "－ 期限切れ" : "● 利用中"),
                  },
                  { key: "scopes", header: "できること", width: "14rem", cell: (system) => (system.scopes.length === 0 ? "団体の記録すべて" : system.scopes.map(scopeWord).join("、")) },
                  { key: "addresses", header: "接続元", width: "10rem", cell: (system) => (system.addresses.length === 0 ? "どこからでも" : <span className="break-all">{system.addresses.join("、")}</span>) },
                  { key: "expires", header: "有効期限", width: "9rem", cell: (system) => <Ending end={system.expires_at} /> },
                  {
                    key: "credentials",
                    header: "認証情報",
                    width: "10rem",
                    cell: (system) => (
                      <>
                        シークレット {known.filter(({ client_id }) => client_id === system.id).length}
                        <br />
                        公開鍵 {system.public_keys.length}
                      </>
                    ),
                  },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "16rem",
                    cell: (system) => (
                      <div className="flex flex-wrap gap-2">
                        <Button variant="secondary" size="sm" aria-label={`${system.name}を変更`} onClick={() => setForm({ system })}>
                          変更
                        </Button>
                        <Button variant="secondary" size="sm" aria-label={`${system.name}の認証情報`} onClick={() => setShown(system.id)}>
                          認証情報
                        </Button>
                        <Link className={buttonClass("text", "sm")} to="/history/$entity/$id" params={{ entity: "clients", id: system.id }} aria-label={`${system.name}の変更の履歴`}>
                          履歴
                        </Link>
                      </div>
                    ),
                  },
                ]}
              />
              <LoadMore {...systems.more} />
              {detail && <Credentials system={detail} secrets={known.filter(({ client_id }) => client_id === detail.id)} onClose={() => setShown(undefined)} />}
            </>
          );
        }}
      </QueryView>
      {form && <SystemForm system={form.system} onClose={() => setForm(undefined)} onMade={setAsking} />}
      {asking && <SecretDialog system={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}
