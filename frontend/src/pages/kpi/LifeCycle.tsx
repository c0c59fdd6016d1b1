import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, etagOf, may, newerRecord, useIdentity, useWrite } from "../../api";
import { announce, Button, FormDialog, PrivacyHint, TextArea, type FieldErrors } from "../../ui";
import type { Kpi, KpiDetail } from "./words";

type Status = Kpi["status"];

interface Step {
  to: Status;
  label: string;
  /** What follows from it. */
  words: string;
  /** An administrator's step. */
  confirming: boolean;
  reason: boolean;
}

const STEPS: Record<Status, Step[]> = {
  draft: [
    { to: "submitted", label: "提出する", words: "確認する人に回します。都道府県など、集約する団体から見えるようになります。", confirming: false, reason: false },
    { to: "confirmed", label: "確定する", words: "このKPIを確定します。取り消すには理由が要ります。", confirming: true, reason: false },
  ],
  returned: [{ to: "submitted", label: "もう一度提出する", words: "確認する人に回します。", confirming: false, reason: false }],
  submitted: [
    { to: "confirmed", label: "確定する", words: "このKPIを確定します。取り消すには理由が要ります。", confirming: true, reason: false },
    { to: "returned", label: "差し戻す", words: "作成した人に戻します。理由は変更の履歴に残ります。", confirming: false, reason: true },
    { to: "draft", label: "提出を取り下げる", words: "作成中に戻します。", confirming: false, reason: false },
  ],
  confirmed: [
    { to: "published", label: "公表する", words: "公開範囲に応じて、ほかの団体や一般の人が閲覧できるようになります。", confirming: true, reason: false },
    { to: "draft", label: "確定を取り消す", words: "作成中に戻します。理由は変更の履歴に残ります。", confirming: true, reason: true },
  ],
  published: [{ to: "confirmed", label: "公表を取り消す", words: "公表をやめて、確定の状態に戻します。理由は変更の履歴に残ります。", confirming: true, reason: true }],
};

/** The steps of the sheet's life that this person may take: 起案, 確認, 確定, 公表. */
export function LifeCycle({ kpi }: { kpi: KpiDetail }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>();
  const [reason, setReason] = useState("");
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();
  const steps = STEPS[kpi.status].filter(({ confirming }) => may(identity, "kpis", "update", kpi) && (!confirming || may(identity, "kpis", "confirm", kpi)));
  const close = () => {
    setStep(undefined);
    setReason("");
    setGaps({});
    clear();
  };

  const take = async (to: Step) => {
    const missing: FieldErrors = to.reason && !reason.trim() ? { "/reason": "理由を入力してください。" } : {};
    setGaps(missing);
    if (missing["/reason"]) return;
    const done = await run({ to: to.to, reason, version: kpi.version }, (headers) =>
      client.POST("/api/v1/kpis/{kpi_id}/transition", {
        params: {
          path: { kpi_id: kpi.id },
          header: { ...headers, "If-Match": etagOf(kpi.version), ...(reason.trim() && { "Change-Reason": encodeURIComponent(reason.trim()) }) },
        },
        body: { status: to.to },
      }),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce(`${to.label}：完了しました`);
    close();
  };

  const conflict = newerRecord(error) && { message: "ほかの人が先にこのKPIを更新しました。最新の内容を読み込みましたので、確かめてからもう一度操作してください。" };
  return (
    <>
      {steps.map((each) => (
        <Button key={each.to} variant={each.reason ? "danger" : "secondary"} size="sm" onClick={() => setStep(each)}>
          {each.label}
        </Button>
      ))}
      {step && (
        <FormDialog
          open
          form="step"
          title={`「${kpi.name}」：${step.label}`}
          submitLabel={step.label}
          errors={gaps}
          failure={conflict ?? error}
          busy={busy}
          dirty={reason !== ""}
          onSubmit={() => void take(step)}
          onClose={close}
        >
          <p>{step.words}</p>
          {step.reason && <TextArea id="step-reason" label="理由" required hint={<PrivacyHint />} rows={3} value={reason} onChange={setReason} error={gaps["/reason"]} />}
        </FormDialog>
      )}
    </>
  );
}
