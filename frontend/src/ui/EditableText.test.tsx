import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { readDraft } from "../lib/drafts";
import { mergeProposal, type TextConflict } from "./ConflictDialog";
import { EditableText } from "./EditableText";

class Refused extends Error {
  constructor(readonly conflict: TextConflict) {
    super("refused");
  }
}

type Answer = { etag: string } | Error;

/** A field whose server gives the answers of the list, one per write. */
function setUp(answers: Answer[], value = "もとの文") {
  const writes: [string, string][] = [];
  const onSave = async (text: string, etag: string) => {
    writes.push([text, etag]);
    const answer = answers.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error("no answer left");
    return answer;
  };
  const toConflict = (error: unknown) => (error instanceof Refused ? error.conflict : null);
  const view = render(<EditableText label="ゴール" value={value} etag='"v1"' draftKey="goal" onSave={onSave} toConflict={toConflict} />);
  return { writes, ...view };
}

async function typeText(text: string) {
  await userEvent.click(screen.getByRole("button", { name: "ゴールを編集" }));
  fireEvent.change(screen.getByRole("textbox", { name: "ゴール" }), { target: { value: text } });
}

describe("EditableText", () => {
  it("saves on Ctrl+Enter with the ETag it was read with", async () => {
    const { writes } = setUp([{ etag: '"v2"' }]);
    await typeText("新しい文");
    expect(readDraft("goal")?.text).toBe("新しい文");
    fireEvent.keyDown(screen.getByRole("textbox"), { key: "Enter", ctrlKey: true });
    await screen.findByText("✓ 保存しました");
    expect(writes).toEqual([["新しい文", '"v1"']]);
    expect(readDraft("goal")).toBeNull();
    expect(screen.getByText("新しい文")).toBeTruthy();
  });

  it("saves on leaving, and does not write what did not change", async () => {
    const { writes } = setUp([{ etag: '"v2"' }]);
    await typeText("もとの文");
    fireEvent.blur(screen.getByRole("textbox"));
    await typeText("変えた文");
    fireEvent.blur(screen.getByRole("textbox"));
    await screen.findByText("✓ 保存しました");
    expect(writes).toEqual([["変えた文", '"v1"']]);
  });

  it("uses the new ETag for the next write", async () => {
    const { writes } = setUp([{ etag: '"v2"' }, { etag: '"v3"' }]);
    for (const text of ["一", "二"]) {
      await typeText(text);
      fireEvent.blur(screen.getByRole("textbox"));
      await screen.findByText("✓ 保存しました");
    }
    expect(writes).toEqual([
      ["一", '"v1"'],
      ["二", '"v2"'],
    ]);
  });

  it("keeps the text when the server is not reached, also over a reload", async () => {
    const first = setUp([new Error("接続できませんでした。")]);
    await typeText("消えない文");
    fireEvent.blur(screen.getByRole("textbox"));
    await screen.findByText(/保存できませんでした。接続できませんでした。/);
    first.unmount();

    const second = setUp([{ etag: '"v2"' }]);
    expect(screen.getByText("消えない文")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "もう一度保存" }));
    await screen.findByText("✓ 保存しました");
    expect(second.writes).toEqual([["消えない文", '"v1"']]);
  });

  it("writes again on the new version when only another field was changed", async () => {
    const { writes } = setUp([new Refused({ theirs: "もとの文", etag: '"v5"' }), { etag: '"v6"' }]);
    await typeText("自分の文");
    fireEvent.blur(screen.getByRole("textbox"));
    await screen.findByText("✓ 保存しました");
    expect(writes.map(([, etag]) => etag)).toEqual(['"v1"', '"v5"']);
  });

  it("asks when somebody else changed the same text, and saves the choice", async () => {
    const { writes } = setUp([new Refused({ theirs: "相手の文", etag: '"v5"', changedBy: "山田 太郎" }), { etag: '"v6"' }]);
    await typeText("自分の文");
    fireEvent.blur(screen.getByRole("textbox"));
    await screen.findByText("「ゴール」をほかの人が更新しました");
    expect(screen.getByText(/山田 太郎さんが/)).toBeTruthy();
    await userEvent.click(screen.getByText("統合して保存"));
    await screen.findByText("✓ 保存しました");
    expect(writes[1]).toEqual(["相手の文\n自分の文", '"v5"']);
  });

  it("takes the other text without a write", async () => {
    const { writes } = setUp([new Refused({ theirs: "相手の文", etag: '"v5"' })]);
    await typeText("自分の文");
    fireEvent.blur(screen.getByRole("textbox"));
    await userEvent.click(await screen.findByText("相手の内容にする"));
    expect(screen.getByText("相手の文")).toBeTruthy();
    expect(writes).toHaveLength(1);
    expect(readDraft("goal")).toBeNull();
  });

  it("Esc takes the typing back, and it can be restored", async () => {
    const { writes } = setUp([]);
    await typeText("間違い");
    fireEvent.keyDown(screen.getByRole("textbox"), { key: "Escape" });
    expect(screen.getByText("もとの文")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "入力を元に戻す" }));
    expect(screen.getByText("間違い")).toBeTruthy();
    expect(writes).toEqual([]);
  });

  it("leaves Enter and Esc to the IME while it converts", async () => {
    const { writes } = setUp([]);
    await typeText("へんかん");
    const box = screen.getByRole("textbox");
    fireEvent.keyDown(box, { key: "Escape", isComposing: true });
    fireEvent.keyDown(box, { key: "Enter", ctrlKey: true, isComposing: true });
    expect(screen.getByRole("textbox")).toBe(box);
    expect(writes).toEqual([]);
  });

  it("saves what is still unsaved when the page is left", async () => {
    const { writes, unmount } = setUp([{ etag: '"v2"' }]);
    await typeText("途中の文");
    unmount();
    await waitFor(() => expect(readDraft("goal")).toBeNull());
    expect(writes).toEqual([["途中の文", '"v1"']]);
  });

  it("follows the server while nothing is typed", () => {
    const { rerender } = setUp([]);
    rerender(<EditableText label="ゴール" value="ほかで変わった文" etag='"v9"' draftKey="goal" onSave={() => Promise.reject()} toConflict={() => null} />);
    expect(screen.getByText("ほかで変わった文")).toBeTruthy();
  });
});

describe("mergeProposal", () => {
  it("loses no line of either side", () => {
    expect(mergeProposal("a\nb\nc", "a\nx")).toBe("a\nx\nb\nc");
    expect(mergeProposal("a", "")).toBe("a");
    expect(mergeProposal("", "b")).toBe("b");
  });
});
