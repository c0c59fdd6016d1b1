import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { ErrorState, ErrorSummary, Loading, QueryView, StatusBadge } from "./feedback";
import { HistoryTimeline } from "./HistoryTimeline";
import { LoadMore, Tabs } from "./layout";
import { LineChart, segments } from "./LineChart";
import { Table } from "./Table";

describe("LineChart", () => {
  const points = [
    { period: "R4", value: "21.0" },
    { period: "R5", value: "23.3" },
    { period: "R6", value: "41", breakReason: "別の調査" },
    { period: "R7", value: null, missing: "未実施" },
    { period: "R8", value: "46.5", provisional: true },
  ];
  it("breaks the line at a missing value and at a break of the series", () => {
    expect(segments(points).map((run) => run.map((spot) => spot.point.period))).toEqual([["R4", "R5"], ["R6"], ["R8"]]);
  });
  it("has a described picture and a table of the same values", () => {
    render(
      <LineChart
        title="認知度"
        unit="%"
        periods={points.map((point) => point.period)}
        series={[{ name: "実績", points }]}
        targets={[{ period: "R8", value: "55" }]}
        baseline={{ period: "R5", value: "23.3", source: "市民アンケート" }}
      />,
    );
    expect(screen.getByRole("img", { name: /認知度/ }).querySelector("desc")?.textContent).toContain("目標値：R8 55%");
    const rows = screen.getAllByRole("row").map((row) => Array.from(row.children, (cell) => cell.textContent));
    expect(rows).toEqual([
      ["時期", "実績", "目標値", "備考"],
      ["R4", "21.0", "－", ""],
      ["R5", "23.3", "－", ""],
      ["R6", "41", "－", "≠ 前の値と比較できません（別の調査）"],
      ["R7", "－", "－", "未実施"],
      ["R8", "46.5（速報）", "55", ""],
    ]);
  });
});

describe("Table", () => {
  it("has a caption and scoped heads", () => {
    render(
      <Table
        caption="メンバー"
        rows={[{ id: "1", name: "社協" }]}
        rowKey={(row) => row.id}
        columns={[{ key: "name", header: "団体名", rowHeader: true, cell: (row) => row.name }]}
      />,
    );
    expect(screen.getByRole("table", { name: "メンバー" })).toBeTruthy();
    expect(screen.getByText("団体名").getAttribute("scope")).toBe("col");
    expect(screen.getByText("社協").getAttribute("scope")).toBe("row");
  });
});

describe("QueryView", () => {
  const query = { data: undefined, error: null, isPending: false, refetch: () => undefined };
  it("shows the data, the lack of rights, or the error with its number", () => {
    const { rerender } = render(<QueryView query={{ ...query, data: "値" }}>{(data) => <p>{data}</p>}</QueryView>);
    expect(screen.getByText("値")).toBeTruthy();
    rerender(<QueryView query={{ ...query, error: { status: 403 } }} what="この計画">{() => null}</QueryView>);
    expect(screen.getByText(/この計画を閲覧する権限がありません/)).toBeTruthy();
    rerender(<QueryView query={{ ...query, error: { status: 503, message: "待ってください。", requestId: "r-1" } }}>{() => null}</QueryView>);
    expect(screen.getByText("待ってください。")).toBeTruthy();
    expect(screen.getByText("r-1")).toBeTruthy();
  });
  it("does not show a program's own error text", () => {
    render(<ErrorState error={new TypeError("x is undefined")} />);
    expect(screen.queryByText(/undefined/)).toBeNull();
  });
  it("shows the waiting only after 300 ms", () => {
    vi.useFakeTimers();
    render(<Loading />);
    expect(screen.queryByText(/読み込んでいます/)).toBeNull();
    act(() => vi.advanceTimersByTime(300));
    expect(screen.getByText(/読み込んでいます/)).toBeTruthy();
    vi.useRealTimers();
  });
});

describe("small parts", () => {
  it("names the status in words", () => {
    render(<StatusBadge status="returned" />);
    expect(screen.getByText("差戻し")).toBeTruthy();
  });
  it("lists errors with links to their fields", async () => {
    render(
      <>
        <ErrorSummary errors={[{ fieldId: "email", message: "メールアドレスを入力してください。" }]} />
        <input id="email" aria-label="メール" />
      </>,
    );
    await userEvent.click(screen.getByRole("link"));
    expect(document.activeElement?.id).toBe("email");
  });
  it("moves between tabs by arrow keys", async () => {
    const seen: string[] = [];
    const tabs = ["a", "b"].map((id) => ({ id, label: id, content: id }));
    render(<Tabs label="内容" tabs={tabs} selected="a" onSelect={(id) => seen.push(id)} />);
    screen.getByRole("tab", { name: "a" }).focus();
    await userEvent.keyboard("{ArrowRight}{ArrowLeft}");
    expect(seen).toEqual(["b", "b"]);
  });
  it("says how many are shown", () => {
    render(<LoadMore shown={50} hasMore onMore={() => undefined} />);
    expect(screen.getByText("50件まで表示しています。")).toBeTruthy();
  });
  it("tells a change with its reason and the empty value", () => {
    render(
      <HistoryTimeline
        entries={[
          {
            id: "1",
            at: "2024-03-31T15:05:00Z",
            by: "山田 太郎",
            action: "変更",
            changes: [{ field: "目標値", from: null, to: "55%" }],
            reason: "中間見直し",
          },
        ]}
      />,
    );
    expect(screen.getByText("令和6年4月1日（月）0:05")).toBeTruthy();
    expect(screen.getByText("（空欄）")).toBeTruthy();
    expect(screen.getByText("理由：中間見直し")).toBeTruthy();
  });
});
