import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, usePages, useWrite, type components } from "../../api";
import { formatInstant } from "../../lib/date";
import { announce, Button, Checkbox, Dialog, EmptyState, LoadMore, Notice, QueryView, Table } from "../../ui";
import { ENTITIES } from "../history/words";
import { outcomeOf, STATUSES } from "./words";

type Delivery = components["schemas"]["WebhookDelivery"];

/** How many messages were given up; 200 stands for more. */
export function useDead(): number {
  const { data } = useQuery({
    queryKey: ["webhook-deliveries", "dead"],
    queryFn: () => client.GET("/api/v1/webhook-deliveries", { params: { query: { status: "dead", limit: 200 } } }).then(({ data }) => data?.items.length ?? 0),
  });
  return data ?? 0;
}

/** What became of the messages to a webhook. */
export function Deliveries({ webhook, onClose }: { webhook: components["schemas"]["Webhook"]; onClose: () => void }) {
  const queries = useQueryClient();
  const [onlyDead, setOnlyDead] = useState(false);
  const { busy, error, run } = useWrite();
  const deliveries = usePages(["webhook-deliveries", webhook.id, String(onlyDead)], (after) =>
    client
      .GET("/api/v1/webhook-deliveries", { params: { query: { webhook_id: webhook.id, ...(onlyDead && { status: "dead" as const }), limit: 20, after } } })
      .then(({ data }) => data ?? { items: [] }),
  );
  const retry = async (delivery: Delivery) => {
    const done = await run(delivery, (header) => client.POST("/api/v1/webhook-deliveries/{webhook_delivery_id}/retry", { params: { path: { webhook_delivery_id: delivery.id }, header } }));
    if (done) announce("送り直しています");
    await queries.invalidateQueries({ queryKey: ["webhook-deliveries"] });
  };
  return (
    <Dialog
      open
      wide
      title="通知の記録"
      onClose={onClose}
      actions={
        <>
          <Button variant="secondary" onClick={() => void queries.invalidateQueries({ queryKey: ["webhook-deliveries"] })}>
            最新の状態を見る
          </Button>
          <Button onClick={onClose}>閉じる</Button>
        </>
      }
    >
      <p className="break-all font-mono text-sm">{webhook.url}</p>
      <Checkbox label="届かなかったものだけを見る" checked={onlyDead} onChange={setOnlyDead} />
      {error && (
        <Notice tone="error" live title="送り直せませんでした">
          {error.message}
        </Notice>
      )}
      <QueryView query={deliveries} what="通知の記録">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title={onlyDead ? "届かなかった通知はありません" : "通知はまだありません"}>
              {onlyDead ? "" : "シークレットを発行したあと、記録が変わると通知します。届いたものは30日、届かなかったものは400日残ります。"}
            </EmptyState>
          ) : (
            <>
              <Table
                caption="通知の一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  { key: "at", header: "日時", rowHeader: true, width: "11rem", cell: ({ created_at }) => formatInstant(created_at) },
                  { key: "what", header: "知らせたこと", width: "16rem", cell: ({ message }) => whatOf(message) },
                  { key: "status", header: "状態", width: "8rem", cell: ({ status }) => STATUSES[status] },
                  { key: "attempts", header: "送信回数", width: "6rem", cell: ({ attempts }) => `${attempts}回` },
                  {
                    key: "outcome",
                    header: "最後の結果",
                    cell: (delivery) => (
                      <>
                        {outcomeOf(delivery)}
                        {delivery.status === "pending" && delivery.attempts > 0 && delivery.next_attempt_at && <span className="block">次は {formatInstant(delivery.next_attempt_at)} に送ります。</span>}
                      </>
                    ),
                  },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "8rem",
                    cell: (delivery) =>
                      (delivery.status === "dead" || delivery.status === "pending") && (
                        <Button variant="secondary" size="sm" busy={busy} aria-label={`${formatInstant(delivery.created_at)}の通知を今すぐ送る`} onClick={() => void retry(delivery)}>
                          今すぐ送る
                        </Button>
                      ),
                  },
                ]}
              />
              <LoadMore {...deliveries.more} />
            </>
          )
        }
      </QueryView>
    </Dialog>
  );
}

/** The kinds of the changed records, each with how many. */
function whatOf(message: string): string {
  const { type, data } = JSON.parse(message) as { type: string; data: { items?: { entity: string }[] } };
  if (type === "records.resync") return "一部の団体の記録を読み直すように伝えました";
  const counts = new Map<string, number>();
  for (const { entity } of data.items ?? []) counts.set(entity, (counts.get(entity) ?? 0) + 1);
  return [...counts].map(([entity, count]) => `${ENTITIES[entity]?.word ?? entity} ${count}件`).join("、");
}
