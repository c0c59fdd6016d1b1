import { Link } from "@tanstack/react-router";
import { EmptyState, PageHeader, buttonClass } from "../../ui";

export default function NotFoundPage() {
  return (
    <>
      <PageHeader title="ページが見つかりません" />
      <EmptyState
        title="このアドレスのページはありません"
        actions={
          <Link to="/" className={buttonClass("secondary")}>
            ホームへ戻る
          </Link>
        }
      >
        アドレスを確認するか、ホームから目的の画面をお探しください。
      </EmptyState>
    </>
  );
}
