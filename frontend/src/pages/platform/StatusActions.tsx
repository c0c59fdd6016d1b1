import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { etagOf, isLocked, may, useIdentity, useWrite } from "../../api";
import { announce, Button, ConfirmDialog, Notice, TextArea, type LifeCycle } from "../../ui";

interface Step {
  to: LifeCycle;
  label: string;
  words: string;
  /** Taking something back is the administrator's, and always says why. */
  confirming?: boolean;
  reason?: boolean;
}

const STEPS: Record<LifeCycle, Step[]> = {
  draft: [
    { to: "submitted", label: "提出する", words: "内容を確認する人に提出します。提出を取り消すと、作成中に戻ります。" },
    { to: "confirmed", label: "確定する", words: "内容を確定します。確定の取消には理由が必要です。", confirming: true },
  ],
  returned: [{ to: "submitted", label: "提出する", words: "見直した内容を、もう一度提出します。" }],
  submitted: [
    { to: "confirmed", label: "確定する", words: "提出された内容を確定します。確定の取消には理由が必要です。", confirming: true },
    { to: "returned", label: "差し戻す", words: "作成した人に差し戻します。理由は履歴に残り、作成した人に表示されます。", reason: true },
    { to: "draft", label: "提出を取り消す", words: "提出を取り消し、作成中に戻します。" },
  ],
  confirmed: [
    { to: "published", label: "公表する", words: "公開範囲が「公開」の場合、誰でも閲覧できるようになります。", confirming: true },
    { to: "draft", label: "確定を取り消す", words: "確定を取り消し、作成中に戻します。理由は履歴に残ります。", confirming: true, reason: true },
  ],
  published: [{ to: "confirmed", label: "公表を取り消す", words: "公表を取り消し、確定に戻します。理由は履歴に残ります。", confirming: true, reason: true }],
};

interface Sheet {
  id: string;
  version: number;
  status: LifeCycle;
  owner_org_id: string;
}

export interface StatusActionsProps {
  /** Resource of the permissions: platforms, plans, projects, kpis. */
  resource: string;
  record: Sheet;
  /** Its name, for the question. */
  what: string;
  send: (status: LifeCycle, headers: { "Idempotency-Key": string; "If-Match": string; "Change-Reason"?: string }) => Promise<unknown>;
}

/** The steps a sheet can take now, for those who may take them. */
export function StatusActions({ resource, record, what, send }: StatusActionsProps) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const { busy, error, run, clear } = useWrite();
  // Whoever got the sheet from its owner (a prefecture) can return it, and nothing else.
  const foreign = record.owner_org_id !== identity?.organization_id;
  const steps = STEPS[record.status].filter(({ to, confirming }) => may(identity, resource, confirming ? "confirm" : "transit", record) && (!foreign || to === "returned"));

  const open = (next: Step) => {
    clear();
    setReason("");
    setMissing(false);
    setStep(next);
  };
  const go = async () => {
    if (!step) return;
    if (step.reason && !reason.trim()) {
      setMissing(true);
      return;
    }
    const why = step.reason ? { "Change-Reason": encodeURIComponent(reason.trim()) } : {};
    const done = await run([record.version, step.to, reason], (key) =>
      send(step.to, { ...key, "If-Match": etagOf(record.version), ...why }).then(() => true),
    );
    // Refused because somebody was faster: the sheet behind the dialog shows its newest state.
    await queries.invalidateQueries();
    if (!done) return;
    announce(`完了しました：${step.label}`);
    setStep(undefined);
  };

  return (
    <>
      {isLocked(record) && may(identity, resource, "update", record) && !may(identity, resource, "confirm", record) && (
        <span className="self-center text-sm text-solid-gray-700">基本情報は確定済みです</span>
      )}
      {steps.map((next, index) => (
        <Button key={next.to} size="sm" variant={index === 0 && !next.reason ? "primary" : "secondary"} onClick={() => open(next)}>
          {next.label}
        </Button>
      ))}
      <ConfirmDialog
        open={step !== undefined}
        title={step?.label.replace(/する?$/, "しますか") ?? ""}
        confirmLabel={step?.label ?? ""}
        variant={step?.reason ? "danger" : "primary"}
        busy={busy}
        onConfirm={() => void go()}
        onClose={() => setStep(undefined)}
      >
        <div className="grid gap-4">
          <p>
            対象：<strong>{what}</strong>
          </p>
          <p>{step?.words}</p>
          {step?.reason && (
            <TextArea
              label="理由"
              required
              value={reason}
              onChange={setReason}
              rows={3}
              maxLength={300}
              error={missing ? "理由を入力してください。" : undefined}
            />
          )}
          {error && (
            <Notice tone="error" live title="実行できませんでした">
              {error.message}
            </Notice>
          )}
        </div>
      </ConfirmDialog>
    </>
  );
}
