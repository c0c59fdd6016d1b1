import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { Button } from "./Button";
import { DateField } from "./DateField";
import { NumberField, RadioGroup, Select, TextField } from "./fields";

function Dated({ start = "", fiscalYear }: { start?: string; fiscalYear?: number }) {
  const [value, setValue] = useState(start);
  return <DateField label="開催日" required value={value} onChange={setValue} fiscalYear={fiscalYear} />;
}

describe("TextField", () => {
  it("ties label, support text and error to the input", () => {
    render(<TextField label="事業名" required value="" onChange={() => undefined} hint="正式な名称" error="事業名を入力してください。" />);
    const input = screen.getByRole("textbox", { name: /事業名/ });
    expect(input.getAttribute("aria-invalid")).toBe("true");
    const described = (input.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent);
    expect(described).toEqual(["正式な名称", "＊事業名を入力してください。"]);
    expect(screen.getByText("※必須")).toBeTruthy();
  });

  it("does not submit on the Enter that ends an IME conversion", () => {
    render(<TextField label="事業名" value="" onChange={() => undefined} />);
    const input = screen.getByRole("textbox");
    expect(fireEvent.keyDown(input, { key: "Enter", isComposing: true })).toBe(false);
    expect(fireEvent.keyDown(input, { key: "Enter", keyCode: 229 })).toBe(false);
    expect(fireEvent.keyDown(input, { key: "Enter" })).toBe(true);
  });

  it("says why it cannot be edited", () => {
    render(<TextField label="団体コード" value="312011" onChange={() => undefined} readOnlyReason="一覧から登録されます。" />);
    expect(screen.getByRole("textbox").hasAttribute("readonly")).toBe(true);
    expect(screen.getByText("一覧から登録されます。")).toBeTruthy();
  });
});

describe("DateField", () => {
  it("shows the understood date with its weekday", async () => {
    render(<Dated />);
    await userEvent.type(screen.getByRole("textbox"), "Ｒ６．４．１");
    expect(screen.getByText("令和6年4月1日（月）")).toBeTruthy();
  });
  it("warns about a wrong weekday and names the remedy for nonsense", () => {
    const { unmount } = render(<Dated start="令和6年12月10日（月）" />);
    expect(screen.getByText(/曜日が日付と合いません/)).toBeTruthy();
    unmount();
    render(<Dated start="いつか" />);
    expect(screen.getByText(/日付を読み取れません/)).toBeTruthy();
  });
  it("waits for the IME before judging", () => {
    render(<Dated start="れいわ" />);
    fireEvent.compositionStart(screen.getByRole("textbox"));
    expect(screen.queryByText(/日付を読み取れません/)).toBeNull();
    fireEvent.compositionEnd(screen.getByRole("textbox"));
    expect(screen.getByText(/日付を読み取れません/)).toBeTruthy();
  });
  it("places month and day in the fiscal year", () => {
    render(<Dated start="1/26" fiscalYear={2024} />);
    expect(screen.getByText("令和7年1月26日（日）")).toBeTruthy();
  });
});

describe("NumberField", () => {
  it("gives the exact decimal of what was typed", () => {
    const seen: (string | null)[] = [];
    render(<NumberField label="予算額" value="" onChange={(_, decimal) => seen.push(decimal)} />);
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "１５４万円" } });
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "多数" } });
    expect(seen).toEqual(["1540000", null]);
  });
});

describe("choices", () => {
  const options = [
    { value: "a", label: "数値" },
    { value: "b", label: "割合" },
  ];
  it("radio buttons and select report the value", async () => {
    const seen: string[] = [];
    render(
      <>
        <RadioGroup label="種類" value="a" onChange={(value) => seen.push(value)} options={options} />
        <Select label="区分" value="a" onChange={(value) => seen.push(value)} options={options} />
      </>,
    );
    await userEvent.click(screen.getByLabelText("割合"));
    await userEvent.selectOptions(screen.getByLabelText("区分"), "b");
    expect(seen).toEqual(["b", "b"]);
  });
});

describe("Button", () => {
  it("stays focusable but does nothing while busy or unavailable", async () => {
    let clicks = 0;
    const { rerender } = render(<Button busy onClick={() => (clicks += 1)}>保存する</Button>);
    await userEvent.click(screen.getByRole("button"));
    rerender(<Button disabledReason="確定済みです" onClick={() => (clicks += 1)}>保存する</Button>);
    await userEvent.click(screen.getByRole("button"));
    expect(clicks).toBe(0);
    rerender(<Button onClick={() => (clicks += 1)}>保存する</Button>);
    await userEvent.click(screen.getByRole("button"));
    expect(clicks).toBe(1);
  });
});
